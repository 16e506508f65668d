import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Jwk } from '../identity/identity.ts'
import { createChain } from './chain.ts'
import type { Checkpoint, CheckpointSigner } from './checkpoint.ts'
import { signCheckpoint } from './checkpoint.ts'
import type { AuditEvent } from './event.ts'
import { verifyTrail } from './verify-trail.ts'

const source = 'trail:test'
const eventOf = (n: number): AuditEvent => ({
  id: `ev_${n}`,
  type: 'use.started',
  time: 1750000000 + n,
  source,
  resource: `order:${n}`,
})

function signerWith(kid: string): { signer: CheckpointSigner; jwk: Jwk } {
  // Through its encoding: exporting a key object that generateKeyPairSync returned can wait for itself for ever on Node 20.
  const encoded = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const privateKey = createPrivateKey(encoded.privateKey)
  const publicKey = createPublicKey(privateKey)
  const signer = {
    kid,
    alg: 'ES256',
    sign: (data: Uint8Array) => sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  } as const
  return { signer, jwk: { ...(publicKey.export({ format: 'jwk' }) as Jwk), kid } }
}
const { signer, jwk } = signerWith('k1')
const keys = { keys: [jwk] }

function plainTrail(count: number): string[] {
  const chain = createChain()
  return Array.from({ length: count }, (_, n) => chain.next(eventOf(n)))
}

/** `before` events, a checkpoint over them (as changed), `after` more. */
async function signedTrail(
  before: number,
  after: number,
  how: { change?: Partial<Checkpoint>; by?: CheckpointSigner } = {},
) {
  const { change = {}, by = signer } = how
  const chain = createChain()
  const lines = Array.from({ length: before }, (_, n) => chain.next(eventOf(n)))
  const jws = await signCheckpoint({ ...chain.head, time: 1750000100, source, ...change }, by)
  lines.push(chain.next({ id: 'ev_c', type: 'trail.checkpoint', time: 1750000100, source, data: { jws } }))
  for (let n = 0; n < after; n++) lines.push(chain.next(eventOf(before + n)))
  return lines
}

describe('verifyTrail() without keys', () => {
  test('passes what was written and says what that does not prove', async () => {
    const result = await verifyTrail(plainTrail(5))
    expect(result).toMatchObject({ ok: true, lines: 5, head: { seq: 5 }, checkpoints: { signed: 0 }, uncovered: 5 })
    expect(result).toMatchObject({ says: expect.stringContaining('No signature was checked') })
  })

  test('passes an empty trail', async () => {
    expect(await verifyTrail([])).toMatchObject({ ok: true, lines: 0 })
  })

  test('takes parsed lines too', async () => {
    const parsed = plainTrail(3).map((text) => JSON.parse(text))
    expect(await verifyTrail(parsed)).toMatchObject({ ok: true, lines: 3 })
  })

  test('names the first line that was changed, removed, moved, repeated or replaced', async () => {
    const lines = plainTrail(6)
    const line = (n: number): string => lines.at(n) ?? ''
    const other = createChain()
    const foreign = Array.from({ length: 6 }, (_, n) => other.next({ ...eventOf(n), note: 'other' }))
    const cases = {
      altered: [line(0), line(1).replace('order:1', 'order:9'), ...lines.slice(2)],
      missing: [line(0), line(1), ...lines.slice(3)],
      swapped: [line(0), line(2), line(1), ...lines.slice(3)],
      repeated: [line(0), line(1), line(1), ...lines.slice(2)],
      replaced: [line(0), line(1), foreign.at(2) ?? '', ...lines.slice(3)],
      beheaded: lines.slice(1),
    }
    const found = Object.fromEntries(
      await Promise.all(Object.entries(cases).map(async ([name, tampered]) => [name, await verifyTrail(tampered)])),
    )
    expect(found).toMatchObject({
      altered: { ok: false, line: 2, problem: 'altered' },
      missing: { ok: false, line: 3, problem: 'missing' },
      swapped: { ok: false, line: 2, problem: 'missing' },
      repeated: { ok: false, line: 3, problem: 'repeated' },
      replaced: { ok: false, line: 3, problem: 'replaced' },
      beheaded: { ok: false, line: 1, problem: 'missing' },
    })
  })

  test('finds any edit, removal, exchange and repetition, wherever it is', async () => {
    const lines = plainTrail(12)
    const place = fc.nat({ max: 11 })
    const edit = fc.tuple(place, fc.nat({ max: 300 }), fc.string({ minLength: 1, maxLength: 3, unit: 'binary' }))
    const editLine = ([at, column, text]: [number, number, string]): string[] =>
      lines.map((line, n) =>
        n === at ? line.slice(0, column % line.length) + text + line.slice((column % line.length) + 1) : line,
      )
    const tampered = fc.oneof(
      edit.map(editLine),
      fc.nat({ max: 10 }).map((at) => lines.toSpliced(at, 1)), // the last line's removal is truncation
      fc.tuple(place, place).map(([a, b]) => lines.with(a, lines.at(b) ?? '').with(b, lines.at(a) ?? '')),
      fc.tuple(place, place).map(([from, to]) => lines.toSpliced(to, 0, lines.at(from) ?? '')),
    )
    await fc.assert(
      fc.asyncProperty(tampered, async (changed) => {
        fc.pre(changed.join('\n') !== lines.join('\n'))
        expect(await verifyTrail(changed)).toMatchObject({ ok: false })
      }),
      { numRuns: 500 },
    )
  })
})

describe('verifyTrail() with checkpoints', () => {
  test('tells how far the last signature reaches', async () => {
    expect(await verifyTrail(await signedTrail(4, 3), { keys })).toMatchObject({
      ok: true,
      lines: 8,
      checkpoints: { signed: 1, last: { seq: 4, line: 5 } },
      uncovered: 4,
    })
  })

  test('finds a rewritten past although every hash was computed anew', async () => {
    const chain = createChain()
    const genuine = await signedTrail(3, 0)
    const { data } = JSON.parse(genuine.at(3) ?? '') as AuditEvent
    const forged = [0, 1, 2].map((n) => chain.next({ ...eventOf(n), resource: 'order:forged' }))
    forged.push(chain.next({ id: 'ev_c', type: 'trail.checkpoint', time: 1750000100, source, ...(data && { data }) }))
    expect(await verifyTrail(forged)).toMatchObject({ ok: true })
    expect(await verifyTrail(forged, { keys })).toMatchObject({ ok: false, line: 4, problem: 'contradicted' })
  })

  const stranger = signerWith('k1').signer
  const unknown = signerWith('k2').signer
  test.each([
    ['by another key under the same kid', { by: stranger }, 'checkpoint-signature'],
    ['by a key nobody gave', { by: unknown }, 'checkpoint-key-unknown'],
    ['over another hash', { change: { hash: 'B'.repeat(43) } }, 'contradicted'],
    ['over a line that is not there yet', { change: { seq: 9 } }, 'contradicted'],
    ['over line 0', { change: { seq: 0 } }, 'contradicted'],
    ['for another trail', { change: { source: 'trail:other' } }, 'contradicted'],
  ])('refuses a checkpoint signed %s', async (_name, how, problem) => {
    const lines = await signedTrail(3, 2, how)
    expect(await verifyTrail(lines, { keys })).toMatchObject({ ok: false, line: 4, problem })
  })

  test('refuses a checkpoint that is no compact JWS of its type', async () => {
    const chain = createChain()
    const lines = [chain.next({ id: 'ev_c', type: 'trail.checkpoint', time: 1, source, data: { jws: 'a.b.c' } })]
    expect(await verifyTrail(lines, { keys })).toMatchObject({ ok: false, problem: 'checkpoint-malformed' })
  })

  test('counts what the signer left unsigned', async () => {
    const chain = createChain()
    const lines = [chain.next({ id: 'ev_c', type: 'trail.checkpoint', time: 1, source, reason: 'key-unavailable' })]
    expect(await verifyTrail(lines, { keys })).toMatchObject({ ok: true, checkpoints: { signed: 0, unsigned: 1 } })
  })
})

describe('verifyTrail() with a head kept elsewhere', () => {
  const lines = plainTrail(6)
  const headOf = (n: number) => ({ seq: n, hash: (JSON.parse(lines.at(n - 1) ?? '') as { hash: string }).hash })

  test('finds a cut-off end, which nothing else can', async () => {
    const cut = lines.slice(0, 4)
    expect(await verifyTrail(cut)).toMatchObject({ ok: true })
    expect(await verifyTrail(cut, { expectHead: headOf(6) })).toMatchObject({
      ok: false,
      line: 5,
      problem: 'truncated',
    })
  })

  test('passes a trail that went on since', async () => {
    expect(await verifyTrail(lines, { expectHead: headOf(4) })).toMatchObject({ ok: true })
  })

  test('refuses a trail that has another line there', async () => {
    const expectHead = { ...headOf(4), hash: 'B'.repeat(43) }
    expect(await verifyTrail(lines, { expectHead })).toMatchObject({ ok: false, line: 4, problem: 'contradicted' })
  })
})
