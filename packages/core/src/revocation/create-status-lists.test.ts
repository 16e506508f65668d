import { describe, expect, test } from 'vitest'
import type { StatusLists, StatusListsOptions } from './create-status-lists.ts'
import { createStatusLists } from './create-status-lists.ts'
import { STATUS, decodeStatusList, statusAt } from './status-list-encoding.ts'

const START = 1_700_000_100
const INVALID = STATUS.invalid

function scene(options: Partial<StatusListsOptions> = {}) {
  const time = { now: START }
  const lists = createStatusLists({
    issuer: 'https://broker.example',
    incarnation: () => 'mem_1',
    clock: () => time.now,
    ...options,
  })
  const read = async ({ uri, idx }: { uri: string; idx: number }) => {
    const list = await lists.encode(uri)
    const decoded = list && (await decodeStatusList(list.lst))
    const status = list && decoded?.ok ? statusAt(decoded.value, list.bits, idx) : undefined
    return status?.ok ? status.value : undefined
  }
  const place = (index: number, exp = START + 60) => lists.place(lists.series(exp), index)
  return { time, lists, read, place }
}

describe('createStatusLists()', () => {
  test('gives every index of a series a place of its own, in as few lists as hold them', () => {
    const { lists, place } = scene({ size: 64 })
    const places = Array.from({ length: 200 }, (_, index) => place(index))
    expect(new Set(places.map(({ uri, idx }) => `${uri} ${idx}`)).size).toBe(200)
    expect([...new Set(places.map(({ uri }) => uri))]).toEqual(lists.uris(lists.series(START + 60), 200))
    expect(places.every(({ idx }) => idx >= 0 && idx < 64)).toBe(true)
    expect(lists.uris(lists.series(START + 60), 0)).toEqual([])
  })

  test('names the same lists in every broker of one ledger', () => {
    expect(scene().place(200_000)).toEqual(scene({ issuer: 'https://broker.example/' }).place(200_000))
  })

  test('says the incarnation in every uri', () => {
    const { uri } = scene({ incarnation: () => 'pg 7/2', issuer: 'https://broker.example/' }).place(0)
    expect(uri).toMatch(/^https:\/\/broker\.example\/status\/pg%207%2F2-\w+-0$/)
  })

  test('locates a list by its name alone', () => {
    const { lists, place } = scene({ size: 64 })
    expect(lists.locate(place(130).uri)).toEqual({ series: lists.series(START + 60), firstIndex: 128 })
    const { uri } = place(0)
    const others = [`${uri}x`, `${uri}/..`, uri.replace(/-0$/, '-00'), uri.replace('mem_1', 'mem_2'), `${uri}-1`, '']
    expect(others.map((other) => lists.locate(other))).toEqual(others.map(() => undefined))
    expect(lists.locate(uri.replace(/[0-9a-z]+-0$/, 'zzzzzz-0'))).toBeUndefined()
  })

  test('counts among the living series whatever a living grant may be in', () => {
    const { lists, time } = scene()
    for (time.now = START; time.now < START + 2000; time.now += 37) {
      const names = lists.living().map(({ name }) => name)
      for (const life of [-29, 0, 60, 900, 929]) expect(names).toContain(lists.series(time.now + life).name)
      expect(
        lists.living().every(({ name, until }) => until > time.now && lists.locate(`${prefix(lists)}${name}-0`)),
      ).toBe(true)
    }
  })

  test('is VALID until set INVALID, which shows in the next list and never goes away', async () => {
    const { lists, read, place } = scene()
    const [dead, alive] = [place(7), place(8)]
    expect([await read(dead), await read(alive), lists.changes(dead.uri)]).toEqual([0, 0, 0])
    expect(lists.set(dead.uri, dead.idx, INVALID)).toBe(true)
    expect([await read(dead), await read(alive), lists.changes(dead.uri)]).toEqual([1, 0, 1])
    expect(lists.set(dead.uri, dead.idx, STATUS.valid as never)).toBe(false)
    expect(lists.set(dead.uri, dead.idx, INVALID)).toBe(true)
    expect([await read(dead), lists.changes(dead.uri)]).toEqual([1, 1])
  })

  test('encodes what was set while it was encoding, the next time', async () => {
    const { lists, read, place } = scene()
    const [first, second] = [place(1), place(2)]
    lists.set(first.uri, first.idx, INVALID)
    const before = lists.encode(first.uri)
    lists.set(second.uri, second.idx, INVALID)
    const old = await decodeStatusList((await before)?.lst ?? '')
    expect(old.ok && statusAt(old.value, 1, second.idx)).toEqual({ ok: true, value: 0 })
    expect(await read(second)).toBe(1)
  })

  test('sets nothing outside of its lists', () => {
    const { lists, place } = scene({ size: 8 })
    const { uri, idx } = place(3)
    const others = [-1, 8, 0.5, Number.NaN, 2 ** 32 + idx]
    expect(others.map((other) => lists.set(uri, other, INVALID))).toEqual(others.map(() => false))
    expect(lists.set(`${uri}x`, idx, INVALID)).toBe(false)
    expect(lists.set(uri.replace('mem_1', 'mem_2'), idx, INVALID)).toBe(false)
  })

  test('keeps a list until the last grant in it has expired on every clock, then knows it no more', async () => {
    const { time, lists, read, place } = scene()
    const exp = START + 60
    const { uri, idx } = place(7, exp)
    lists.set(uri, idx, INVALID)
    time.now = exp + 30
    expect(await read({ uri, idx })).toBe(1)
    time.now = exp + 900 + 31
    expect(await lists.encode(uri)).toBeUndefined()
    const next = place(7, time.now)
    expect(lists.set(next.uri, next.idx, INVALID)).toBe(true)
    expect([lists.set(uri, idx, INVALID), lists.changes(uri)]).toEqual([false, 0])
  })

  test('answers nothing for a list of another life', async () => {
    const { uri } = scene().place(0)
    expect(await scene({ incarnation: () => 'mem_2' }).lists.encode(uri)).toBeUndefined()
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, START + 1000])('throws for a grant that ends at %d', (exp) => {
    const { lists } = scene()
    expect(() => lists.series(exp)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })

  test.each([0, 7, 12, 2 ** 20 + 8, Number.NaN, -8])('throws for a size of %d', (size) => {
    expect(() => scene({ size })).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })
})

const prefix = (lists: StatusLists): string => lists.place({ name: '', until: 0 }, 0).uri.slice(0, -2)
