import { readFileSync } from 'node:fs'
import { deflateSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StatusBits } from './status-list-encoding.ts'
import { decodeStatusList, encodeStatusList, statusAt } from './status-list-encoding.ts'

interface Vector {
  readonly name: string
  readonly bits: StatusBits
  readonly lst: string
  readonly entries: number
  readonly statuses: Readonly<Record<string, number>>
}

const vectors = new URL('../../vectors/token-status-list/', import.meta.url)
const { lists } = JSON.parse(readFileSync(new URL('status-list-encoding.json', vectors), 'utf8')) as { lists: Vector[] }
const example = JSON.parse(readFileSync(new URL('status-list-jwt-example.json', vectors), 'utf8')) as {
  payload: { status_list: { bits: StatusBits; lst: string } }
}

/** Every status of a list; undefined where it is refused. */
async function decodeAll(lst: string, bits: StatusBits): Promise<number[] | undefined> {
  const decoded = await decodeStatusList(lst)
  if (!decoded.ok) return undefined
  const bytes = decoded.value
  return Array.from({ length: (bytes.length * 8) / bits }, (_, idx) => {
    const status = statusAt(bytes, bits, idx)
    return status.ok ? status.value : Number.NaN
  })
}

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')

describe('decodeStatusList() and statusAt()', () => {
  test.each(lists)('read the vector $name', async ({ bits, lst, entries, statuses }) => {
    const all = await decodeAll(lst, bits)
    expect(all).toHaveLength(entries)
    const expected = Object.entries(statuses).map(([idx, status]) => [Number(idx), status])
    const listed = new Set(Object.keys(statuses).map(Number))
    const set = all?.flatMap((status, idx) => (status !== 0 || listed.has(idx) ? [[idx, status]] : []))
    expect(set).toEqual(expected.toSorted(([a = 0], [b = 0]) => a - b))
  })

  test('read the list of the signed example', async () => {
    const { bits, lst } = example.payload.status_list
    expect(await decodeAll(lst, bits)).toEqual([1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1])
  })

  test('read what encodeStatusList() wrote', async () => {
    const outcome = await fc.check(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        const decoded = await decodeStatusList(await encodeStatusList(Uint8Array.from(bytes)))
        return decoded.ok && Buffer.compare(decoded.value, bytes) === 0
      }),
      { numRuns: 50 },
    )
    expect(fc.defaultReportMessage(outcome)).toBeUndefined()
  })
})

describe('decodeStatusList() refuses', () => {
  const good = deflateSync(Uint8Array.from([0xb9, 0xa3, 1, 2, 3, 4, 5, 6, 7, 8]))
  const damaged = Uint8Array.from(good, (byte, index) => (index === good.length - 1 ? byte ^ 1 : byte))
  const bad: readonly [string, string][] = [
    ['nothing', ''],
    ['padding', `${base64url(good)}=`],
    ['another alphabet', 'eNrb+/gRgA'],
    ['stray trailing bits', 'eNrbuRgAAhcBXR'],
    ['what is no ZLIB stream', base64url(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]))],
    ['a gzip stream', base64url(Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]))],
    ['a stream cut short', base64url(good.subarray(0, good.length - 1))],
    ['a stream cut in half', base64url(good.subarray(0, good.length / 2))],
    ['a damaged sum', base64url(damaged)],
    ['something after the stream', base64url(Buffer.concat([good, Uint8Array.from([0])]))],
    ['a second stream', base64url(Buffer.concat([good, deflateSync(Uint8Array.from([9]))]))],
    ['its own sum after the stream', base64url(Buffer.concat([good, good.subarray(-4)]))],
    ['anything that ends in its own sum', base64url(Buffer.concat([good, Buffer.from('junk'), good.subarray(-4)]))],
    ['the same stream twice', base64url(Buffer.concat([good, good]))],
  ]

  test.each(bad)('%s', async (_, lst) => {
    expect(await decodeStatusList(lst)).toMatchObject({ ok: false, reason: 'token-malformed' })
  })

  test('a stream that inflates beyond the bound, without inflating all of it', async () => {
    const bomb = base64url(deflateSync(new Uint8Array(64 * 1024 * 1024)))
    const before = process.memoryUsage().arrayBuffers
    expect(await decodeStatusList(bomb)).toMatchObject({ ok: false, reason: 'token-malformed' })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024)
  })

  test('by its bound and not by one byte less', async () => {
    const lst = await encodeStatusList(new Uint8Array(1000))
    expect(await decodeStatusList(lst, { maxBytes: 1000 })).toMatchObject({ ok: true })
    expect(await decodeStatusList(lst, { maxBytes: 999 })).toMatchObject({ ok: false })
  })

  // Deflate allows blocks with nothing in them, as many as one likes.
  test.each([
    [87, 264, { ok: true }],
    [88, 266, { ok: false, reason: 'token-malformed' }],
  ])('a text longer than 100 bytes ever need: %d bytes in %d characters', async (size, characters, expected) => {
    const nothing = Array.from({ length: 20 }, () => [0, 0, 0, 0xff, 0xff]).flat()
    const zeros = Array.from({ length: size }, () => 0)
    // Of zeros the sum is 1, and their count in the upper half.
    const stream = [0x78, 1, ...nothing, 1, size, 0, 255 - size, 255, ...zeros, 0, size, 0, 1]
    const lst = base64url(Uint8Array.from(stream))
    expect(lst).toHaveLength(characters)
    expect(await decodeStatusList(lst, { maxBytes: 100 })).toMatchObject(expected)
  })
})

describe('statusAt() refuses', () => {
  const bytes = Uint8Array.from([0xff, 0xff])
  const outside: readonly (readonly [StatusBits, number])[] = [
    [1, 16],
    [2, 8],
    [8, 2],
    [1, -1],
    [1, 0.5],
    [1, Number.NaN],
    [1, Number.POSITIVE_INFINITY],
    [8, Number.MAX_SAFE_INTEGER],
    [1, 2 ** 32],
  ]

  test.each(outside)('%i bits at %d, outside of the list', (bits, idx) => {
    expect(statusAt(bytes, bits, idx)).toMatchObject({ ok: false, reason: 'token-claims' })
  })
})
