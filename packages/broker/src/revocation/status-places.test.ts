import { createStatusLists, memoryLedger, type Ledger } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { createStatusPlaces } from './status-places.ts'

const START = 1_795_300_000

function scene() {
  const time = { now: START }
  const clock = () => time.now
  const ledger = memoryLedger({ exactFor: 'one-process', clock })
  const lists = createStatusLists({ issuer: 'https://broker.test', incarnation: () => ledger.incarnation, clock })
  let asked = 0
  const slow: Pick<Ledger, 'reserveStatus' | 'incarnation'> = {
    incarnation: ledger.incarnation,
    reserveStatus: async (series, size) => {
      asked += 1
      await new Promise((resolve) => setImmediate(resolve))
      return ledger.reserveStatus(series, size)
    },
  }
  return { time, ledger, slow, lists, asked: () => asked }
}
const nameOf = ({ uri, idx }: { uri: string; idx: number }) => `${uri} ${idx}`

describe('createStatusPlaces()', () => {
  test('gives no place twice, among several brokers at once', async () => {
    const { slow, lists } = scene()
    const brokers = [createStatusPlaces(slow, lists), createStatusPlaces(slow, lists)]
    const places = await Promise.all(
      Array.from({ length: 5000 }, async (_, n) => brokers[n % 2]?.allocate(START + 60) ?? { uri: '', idx: 0 }),
    )
    expect(new Set(places.map(nameOf)).size).toBe(5000)
  })

  test('asks the ledger once in 1024 grants, whoever waits meanwhile', async () => {
    const { slow, lists, asked } = scene()
    const places = createStatusPlaces(slow, lists)
    await Promise.all(Array.from({ length: 1024 }, async () => places.allocate(START + 60)))
    expect(asked()).toBe(1)
    await places.allocate(START + 60)
    expect(asked()).toBe(2)
  })

  test('answers at once where the ledger does, in an order that tells nothing', () => {
    const { ledger, lists } = scene()
    const places = createStatusPlaces(ledger, lists)
    const given = Array.from({ length: 100 }, () => places.allocate(START + 60))
    const indexes = given.map((place) => (place instanceof Promise ? -1 : place.idx))
    expect(indexes).not.toContain(-1)
    expect(indexes).not.toEqual(indexes.toSorted((a, b) => a - b))
  })

  test('asks again after a ledger that did not answer', async () => {
    const { ledger, lists } = scene()
    let isDown = true
    const places = createStatusPlaces(
      {
        incarnation: ledger.incarnation,
        reserveStatus: async (series, size) => {
          if (isDown) throw new Error('down')
          return ledger.reserveStatus(series, size)
        },
      },
      lists,
    )
    await expect(places.allocate(START + 60)).rejects.toThrow('down')
    isDown = false
    expect(await places.allocate(START + 60)).toHaveProperty('idx')
  })

  test.each([-1, 0.5, Number.NaN, '7'])('throws for a ledger that answers %s', (first) => {
    const { lists } = scene()
    const places = createStatusPlaces({ incarnation: 'life-1', reserveStatus: () => first as number }, lists)
    expect(() => places.allocate(START + 60)).toThrow(expect.objectContaining({ code: 'ledger-unavailable' }))
  })

  test('uses other lists for grants that expire in another stretch', async () => {
    const { ledger, lists, time } = scene()
    const places = createStatusPlaces(ledger, lists)
    const early = await places.allocate(time.now + 1)
    const late = await places.allocate(time.now + 900)
    expect(early.uri).not.toBe(late.uri)
  })

  test('takes no index of one life of the ledger into another', async () => {
    const life = { incarnation: 'life-1', taken: 0 }
    const clock = () => START
    const ledger = {
      get incarnation() {
        return life.incarnation
      },
      reserveStatus: (_series: unknown, size: number) => (life.taken += size) - size,
    }
    const lists = createStatusLists({ issuer: 'https://broker.test', incarnation: () => life.incarnation, clock })
    const places = createStatusPlaces(ledger, lists)
    const other = createStatusPlaces(ledger, lists)
    await Promise.all(Array.from({ length: 3 }, async () => places.allocate(START + 60)))
    Object.assign(life, { incarnation: 'life-2', taken: 0 })
    const given = await Promise.all(
      Array.from({ length: 4000 }, async (_, n) => (n % 2 ? places : other).allocate(START + 60)),
    )
    expect(new Set(given.map(nameOf)).size).toBe(4000)
    expect(given.every(({ uri }) => uri.includes('/life-2-'))).toBe(true)
  })
})
