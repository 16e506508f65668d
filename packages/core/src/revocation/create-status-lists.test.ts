import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StatusListsOptions } from './create-status-lists.ts'
import { createStatusLists } from './create-status-lists.ts'
import { STATUS, decodeStatusList, statusAt } from './status-list-encoding.ts'

const START = 1_700_000_100
const INVALID = STATUS.invalid

function scene(options: Partial<StatusListsOptions> = {}) {
  const time = { now: START }
  const lists = createStatusLists({
    issuer: 'https://broker.example',
    incarnation: 'mem_1',
    clock: () => time.now,
    ...options,
  })
  const read = async ({ uri, idx }: { uri: string; idx: number }) => {
    const list = await lists.encode(uri)
    const decoded = list && (await decodeStatusList(list.lst))
    const status = list && decoded?.ok ? statusAt(decoded.value, list.bits, idx) : undefined
    return status?.ok ? status.value : undefined
  }
  return { time, lists, read }
}

describe('createStatusLists()', () => {
  test('gives no place twice, whatever the dice say', () => {
    const dice = fc.array(fc.nat(63), { minLength: 1, maxLength: 30 })
    const outcome = fc.check(
      fc.property(dice, fc.nat(200), (rolls, count) => {
        let roll = 0
        const randomInt = (below: number) => (rolls[roll++ % rolls.length] ?? 0) % below
        const { lists } = scene({ size: 64, randomInt })
        const places = Array.from({ length: count }, () => lists.allocate(START + 60))
        const names = new Set(places.map(({ uri, idx }) => `${uri} ${idx}`))
        return names.size === count && places.every(({ idx }) => idx >= 0 && idx < 64)
      }),
    )
    expect(fc.defaultReportMessage(outcome)).toBeUndefined()
  })

  test('hides the order of issue', () => {
    const { lists } = scene()
    const indexes = Array.from({ length: 200 }, () => lists.allocate(START + 60).idx)
    expect(indexes).not.toEqual(indexes.toSorted((a, b) => a - b))
    expect(Math.max(...indexes)).toBeGreaterThan(2 ** 16)
    expect(Math.min(...indexes)).toBeLessThan(2 ** 16)
  })

  test('says the incarnation in every uri', () => {
    const { lists } = scene({ incarnation: 'pg 7/2', issuer: 'https://broker.example/' })
    const { uri } = lists.allocate(START + 60)
    expect(uri).toMatch(/^https:\/\/broker\.example\/status\/pg%207%2F2-\w+-0$/)
    expect(lists.uris()).toEqual([uri])
  })

  test('is VALID until set INVALID, which shows in the next list and never goes away', async () => {
    const { lists, read } = scene()
    const [dead, alive] = [lists.allocate(START + 60), lists.allocate(START + 60)]
    expect([await read(dead), await read(alive)]).toEqual([0, 0])
    expect(lists.set(dead.uri, dead.idx, INVALID)).toBe(true)
    expect([await read(dead), await read(alive)]).toEqual([1, 0])
    expect(lists.set(dead.uri, dead.idx, STATUS.valid as never)).toBe(false)
    expect(await read(dead)).toBe(1)
  })

  test('encodes what was set while it was encoding, the next time', async () => {
    const { lists, read } = scene()
    const place = lists.allocate(START + 60)
    const before = lists.encode(place.uri)
    lists.set(place.uri, place.idx, INVALID)
    const old = await decodeStatusList((await before)?.lst ?? '')
    expect(old.ok && statusAt(old.value, 1, place.idx)).toEqual({ ok: true, value: 0 })
    expect(await read(place)).toBe(1)
  })

  test('sets nothing that was never given out', () => {
    const { lists } = scene({ size: 8 })
    const { uri, idx } = lists.allocate(START + 60)
    const others = [(idx + 1) % 8, -1, 8, 0.5, Number.NaN, 2 ** 32 + idx]
    expect(others.map((other) => lists.set(uri, other, INVALID))).toEqual(others.map(() => false))
    expect(lists.set(`${uri}x`, idx, INVALID)).toBe(false)
  })

  test('keeps a list until the last grant in it has expired on every clock, then knows it no more', async () => {
    const { time, lists, read } = scene()
    const exp = START + 60
    const place = lists.allocate(exp)
    lists.set(place.uri, place.idx, INVALID)
    time.now = exp + 30
    expect(await read(place)).toBe(1)
    time.now = exp + 900 + 31
    expect(await lists.encode(place.uri)).toBeUndefined()
    expect(lists.uris()).toEqual([])
    expect(lists.set(place.uri, place.idx, INVALID)).toBe(false)
  })

  test('never names one list twice, although buckets come and go', () => {
    const { time, lists } = scene({ size: 8 })
    const uris = new Set<string>()
    for (let bucket = 0; bucket < 5; bucket += 1) {
      for (let n = 0; n < 8; n += 1) uris.add(lists.allocate(time.now + 60).uri)
      time.now += 2000
    }
    expect(uris.size).toBe(10)
  })

  test('answers nothing for a list of another life', async () => {
    const { uri } = scene().lists.allocate(START + 60)
    expect(await scene({ incarnation: 'mem_2' }).lists.encode(uri)).toBeUndefined()
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, START + 1000])('throws for a grant that ends at %d', (exp) => {
    const { lists } = scene()
    expect(() => lists.allocate(exp)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })

  test.each([0, 7, 12, 2 ** 20 + 8, Number.NaN, -8])('throws for a size of %d', (size) => {
    expect(() => scene({ size })).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })
})
