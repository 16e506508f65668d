import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { encodeBase64url } from '../crypto.node.ts'
import type { Jwk } from '../identity/identity.ts'
import { jwkThumbprint } from '../token/thumbprint.ts'
import { createChain } from './chain.ts'
import type { AuditEvent, SourceHead, TrailLine } from './event.ts'
import { keyAudience, isIntroduction } from './key-introduction.ts'
import { memoryTrail } from './memory-trail.ts'
import { sentLine } from './origin.ts'
import { verifySourceCheckpoint } from './source-checkpoint.ts'
import type { VerifyTrailOptions } from './verify-trail.ts'
import { verifyTrail } from './verify-trail.ts'

const AUDIENCE = 'https://a.example'
const SOURCE = `verifier:${AUDIENCE}`
const CHAIN = 'ch_aaaaaaaaaaaa'
const TIME = 1_800_000_000

interface Key {
  readonly privateKey: KeyObject
  readonly jwk: Jwk
  readonly jkt: string
}

function newKey(): Key {
  // Through its encoding: exporting a fresh key object can wait for itself for ever on Node 20.
  const pem = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const jwk = createPublicKey(pem.publicKey).export({ format: 'jwk' }) as Jwk
  return { privateKey: createPrivateKey(pem.privateKey), jwk, jkt: jwkThumbprint(jwk) }
}

const encode = (value: object) => encodeBase64url(new TextEncoder().encode(JSON.stringify(value)))
function jws(header: object, claims: object, { privateKey }: Key): string {
  const input = `${encode(header)}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${encodeBase64url(signature)}`
}
const checkpoint = (key: Key, head: SourceHead, header: object = {}) =>
  jws({ typ: 'hallpass-source-checkpoint+jwt', alg: 'ES256', jwk: key.jwk, ...header }, { ...head, time: TIME }, key)

const source = newKey()
const forger = newKey()
const provider = newKey()
const introduction = (key: Key, by: Key = provider, sub = 'orders-api') =>
  jws(
    { alg: 'ES256', kid: 'idp' },
    { iss: 'https://idp.example', sub, aud: keyAudience(key.jkt), iat: TIME, exp: TIME + 60 },
    by,
  )
const identities = { keys: [{ ...provider.jwk, kid: 'idp' }] }

const event = (n: number, change: Partial<AuditEvent> = {}): AuditEvent => ({
  id: `ev_${String(n).padStart(8, '0')}`,
  type: 'use.ended',
  time: TIME + n,
  source: `${SOURCE}#1`,
  status: 200,
  ...change,
})
const all = Array.from({ length: 6 }, (_, index) => event(index + 1))

/** The events as their source sends them, and where its chain stands after each. */
function sent(events: readonly AuditEvent[]): { readonly events: AuditEvent[]; readonly heads: SourceHead[] } {
  const chain = createChain()
  const lines = events.map((each) => JSON.parse(chain.next(each)) as TrailLine)
  return {
    events: lines.map((line) => sentLine(line, CHAIN)),
    heads: lines.map(({ seq, hash }) => ({ source: SOURCE, chain: CHAIN, seq, hash })),
  }
}
const genuine = sent(all)
/** Where the genuine chain stands after so many lines and one. */
function headAt(index: number): SourceHead {
  const head = genuine.heads[index]
  if (head === undefined) throw new Error('The chain is not that long')
  return head
}
const vouched = (at: number, data: object, n = 90 + at): AuditEvent => ({
  id: `ev_vouched${n}`,
  type: 'trail.vouched',
  time: TIME + n,
  source: 'broker:https://b.example',
  aud: AUDIENCE,
  data: data as never,
})
const signedAt = (at: number, key = source, more: object = {}) =>
  vouched(at, { jws: checkpoint(key, headAt(at - 1)), ...more })

/** A trail of the broker's, chained anew from these: its keeper can do that. */
async function trailOf(events: readonly AuditEvent[], options: VerifyTrailOptions = {}) {
  const trail = memoryTrail()
  for (const each of events) await trail.append(each)
  const verdict = await verifyTrail(trail.lines(), options)
  if (!verdict.ok) throw new Error(verdict.detail)
  return verdict.sources
}
const details = (sources: Awaited<ReturnType<typeof trailOf>>) => sources[0]?.breaks.map(({ detail }) => detail)

describe('verifyTrail() with checkpoints that sources signed', () => {
  test('says how far the source signed, and that the rest only agrees with itself', async () => {
    const [chain] = await trailOf([...genuine.events.slice(0, 4), signedAt(4), ...genuine.events.slice(4)])
    expect(chain).toMatchObject({
      lines: 6,
      broken: 0,
      vouches: 1,
      vouched: { seq: 4, time: TIME, line: 5, jkt: source.jkt, trust: 'trail' },
    })
  })

  test('says nothing is signed where nothing is', async () => {
    const [chain] = await trailOf(genuine.events)
    expect(chain).toMatchObject({ broken: 0, vouches: 0 })
    expect(chain).not.toHaveProperty('vouched')
  })

  // The keeper of the trail chains both chains anew, and keeps what the source signed.
  test.each<[string, readonly AuditEvent[], string]>([
    ['altered', all.with(2, event(3, { status: 500 })), 'signed another line number 6'],
    ['dropped', all.toSpliced(2, 1), 'signed 6 lines, and only 5 are here'],
    ['dropped at the end', all.slice(0, 5), 'signed 6 lines, and only 5 are here'],
    ['reordered', [...all.slice(0, 2), event(4), event(3), ...all.slice(4)], 'signed another line number 6'],
    ['inserted', all.toSpliced(2, 0, event(7)), 'signed another line number 6'],
    ['replaced at the end', all.with(5, event(6, { status: 500 })), 'signed another line number 6'],
  ])('finds events of a source that were %s by whoever keeps the trail', async (_name, changed, detail) => {
    const forged = [...sent(changed).events, signedAt(6)]
    const [chain] = await trailOf(forged)
    expect(chain?.broken).toBe(1)
    expect(details([chain as never])).toEqual([expect.stringContaining(detail)])
    expect(chain).not.toHaveProperty('vouched')
  })

  test('finds what was altered between two checkpoints, and keeps to the first', async () => {
    const changed = sent(all.with(4, event(5, { status: 500 }))).events
    const [chain] = await trailOf([...changed.slice(0, 3), signedAt(3), ...changed.slice(3), signedAt(6)])
    expect(chain).toMatchObject({ broken: 1, vouches: 1, vouched: { seq: 3 } })
  })

  test('finds a line that was put in after its chain had been signed', async () => {
    const [one, two, three] = genuine.events as [AuditEvent, AuditEvent, AuditEvent]
    const [, , other = three] = sent(all.with(2, event(3, { status: 500 }))).events
    const [chain] = await trailOf([one, two, three, signedAt(3), other])
    expect(chain).toMatchObject({ broken: 1, vouched: { seq: 3 } })
  })

  test('takes a checkpoint that arrived after later events', async () => {
    const [chain] = await trailOf([...genuine.events, signedAt(4)])
    expect(chain).toMatchObject({ broken: 0, vouched: { seq: 4 } })
  })

  test('goes on from a checkpoint whose lines are in an earlier trail', async () => {
    const [chain] = await trailOf([signedAt(4), ...genuine.events.slice(4)])
    expect(chain).toMatchObject({ broken: 0, lines: 2, first: 5, vouched: { seq: 4 } })
    const [gap] = await trailOf([signedAt(4), ...genuine.events.slice(5)])
    expect(gap).toMatchObject({ broken: 1 })
  })

  test('counts what stands in the name of a source outside its chain', async () => {
    const trail = memoryTrail()
    for (const each of [...genuine.events, event(9)]) await trail.append(each)
    expect(await verifyTrail(trail.lines())).toMatchObject({ unchained: { [SOURCE]: 1 } })
  })

  test.each<[string, AuditEvent, string]>([
    ['no checkpoint', vouched(6, {}), 'holds no checkpoint'],
    ['rubbish', vouched(6, { jws: 'x.y.z' }), 'does not hold'],
    [
      'a signature by another key than the one it names',
      vouched(6, { jws: checkpoint(forger, headAt(5), { jwk: source.jwk }) }),
      'does not fit its key',
    ],
    ['another typ', vouched(6, { jws: checkpoint(source, headAt(5), { typ: 'dpop+jwt' }) }), 'not hold'],
    ['another alg', vouched(6, { jws: checkpoint(source, headAt(5), { alg: 'none' }) }), 'not hold'],
    ['a key that is none', vouched(6, { jws: checkpoint(source, headAt(5), { jwk: { kty: 'oct' } }) }), 'not hold'],
    ['no chain', vouched(6, { jws: checkpoint(source, { ...headAt(5), chain: 'x' }) }), 'not hold'],
  ])('takes no line with %s for a checkpoint', async (_name, line, detail) => {
    const sources = await trailOf([...genuine.events, line])
    expect(sources.flatMap(({ breaks }) => breaks)).toEqual([
      { line: 7, detail: expect.stringContaining(detail) as string },
    ])
    expect(sources.every(({ vouches }) => vouches === 0)).toBe(true)
  })

  describe('with keys that somebody stands for', () => {
    const forged = sent(all.with(2, event(3, { status: 500 })))
    const forgedLine = (more: object = {}) =>
      vouched(6, { jws: checkpoint(forger, forged.heads.at(-1) ?? headAt(5)), ...more })

    test('takes the word of the trail where none is given: then its keeper can put in a key', async () => {
      const [chain] = await trailOf([...forged.events, forgedLine()])
      expect(chain).toMatchObject({ broken: 0, vouched: { trust: 'trail', jkt: forger.jkt } })
    })

    test('takes a pinned key, and no other', async () => {
      const sources = { pins: [source.jkt] }
      const [good] = await trailOf([...genuine.events, signedAt(6)], { sources })
      expect(good).toMatchObject({ broken: 0, vouched: { trust: 'pinned' } })
      const [bad] = await trailOf([...forged.events, forgedLine()], { sources })
      expect(bad).toMatchObject({ broken: 1, vouches: 0 })
    })

    test('takes a key that the identity introduced, a new one after a restart too', async () => {
      const after = newKey()
      const lines = [
        ...genuine.events.slice(0, 3),
        signedAt(3, source, { introduction: introduction(source) }),
        ...genuine.events.slice(3),
        signedAt(6, after, { introduction: introduction(after) }),
      ]
      const [chain] = await trailOf(lines, { sources: { identities } })
      expect(chain).toMatchObject({ broken: 0, vouches: 2, vouched: { seq: 6, trust: 'introduced', by: 'orders-api' } })
    })

    test.each<[string, object]>([
      ['no introduction', {}],
      ['the introduction of the real key', { introduction: introduction(source) }],
      ['one that it signed itself', { introduction: introduction(forger, forger) }],
      ['one that is no token', { introduction: 'x' }],
      ['one that is no text', { introduction: 7 }],
    ])('takes no key with %s', async (_name, more) => {
      const [chain] = await trailOf([...forged.events, forgedLine(more)], { sources: { identities } })
      expect(chain).toMatchObject({ broken: 1, vouches: 0 })
    })

    test('finds a key of another workload of the same provider', async () => {
      const lines = [
        ...genuine.events.slice(0, 3),
        signedAt(3, source, { introduction: introduction(source) }),
        ...genuine.events.slice(3),
        signedAt(6, forger, { introduction: introduction(forger, provider, 'stock-api') }),
      ]
      const [chain] = await trailOf(lines, { sources: { identities } })
      expect(chain).toMatchObject({ broken: 1, vouched: { seq: 3 } })
    })
  })
})

describe('isIntroduction()', () => {
  test.each<[string, unknown, boolean]>([
    ['for this key', keyAudience(source.jkt), true],
    ['for this key, in an array', [keyAudience(source.jkt)], true],
    ['for this key and a broker', [keyAudience(source.jkt), 'https://b.example'], false],
    ['for a broker', 'https://b.example', false],
    ['for another key', keyAudience(forger.jkt), false],
    ['for nobody', undefined, false],
  ])('is an assertion %s', (_name, aud, expected) => {
    const assertion = jws({ alg: 'ES256' }, { sub: 'a', aud }, provider)
    expect(isIntroduction(assertion, source.jkt)).toBe(expected)
  })
})

describe('verifySourceCheckpoint()', () => {
  test('answers what was signed, and by which key', async () => {
    const head = headAt(5)
    expect(await verifySourceCheckpoint(checkpoint(source, head))).toEqual({
      ok: true,
      value: { ...head, time: TIME, jkt: source.jkt },
    })
  })
})
