import { describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../json/value.ts'
import type { RevocationEntry } from '../ledger/revocation-entry.ts'
import { SECURITY_EVENT } from '../token/constants.ts'
import type { FeedRun } from './feed-run.ts'
import { checkFeedClaims, concerning, feedEvents } from './feed-run.ts'

const NOW = 1_800_000_000
const AUDIENCE = 'https://orders.example'
const ISSUER = 'https://broker.example'
const expected = { issuer: ISSUER, audience: AUDIENCE, now: NOW, skewSeconds: 5 }

const run: FeedRun = {
  incarnation: 'mem_1',
  prev: 'c0',
  cursor: 'c1',
  at: NOW,
  complete: true,
  dead: [{ uri: `${ISSUER}/status/1`, until: NOW + 60, idx: [0, 7, 2 ** 20 - 1] }],
}
const claims = (changes: JsonObject = {}, event: Readonly<Record<string, JsonValue | undefined>> = {}): JsonObject => ({
  iss: ISSUER,
  aud: AUDIENCE,
  iat: NOW,
  jti: 'set_1',
  events: {
    [SECURITY_EVENT.revocations]: {
      ...(feedEvents(run)[SECURITY_EVENT.revocations] as JsonObject),
      ...event,
    } as JsonObject,
  },
  ...changes,
})

describe('checkFeedClaims()', () => {
  test.each<[string, FeedRun]>([
    ['a run', run],
    ['a run from the start', { ...run, prev: null }],
    ['the kill switch', { ...run, everything: 'stopped' }],
    ['a lifted kill switch', { ...run, everything: NOW + 5 }],
    ['a heartbeat', { ...run, dead: [] }],
  ])('reads back %s', (_what, told) => {
    expect(checkFeedClaims(claims({ events: feedEvents(told) }), expected)).toEqual({ ok: true, value: told })
  })

  test.each<[string, JsonObject, string]>([
    ['another issuer', claims({ iss: 'https://evil.example' }), 'issuer-unknown'],
    ['another audience', claims({ aud: 'https://stock.example' }), 'audience-mismatch'],
    ['several audiences', claims({ aud: [AUDIENCE] }), 'audience-mismatch'],
    ['an exp', claims({ exp: NOW + 60 }), 'token-claims'],
    ['a sub', claims({ sub: 'x' }), 'token-claims'],
    ['no jti', claims({ jti: 7 }), 'token-claims'],
    ['no iat', claims({ iat: 'now' }), 'token-claims'],
    ['an iat to come', claims({ iat: NOW + 6 }), 'not-yet-valid'],
    ['no events', claims({ events: {} }), 'token-claims'],
    ['two events', claims({ events: { ...feedEvents(run), other: {} } }), 'token-claims'],
    ['another event', claims({ events: { [SECURITY_EVENT.grantRevoked]: {} } }), 'token-claims'],
    ['an event that is none', claims({ events: { [SECURITY_EVENT.revocations]: [] } }), 'token-claims'],
  ])('refuses %s', (_what, payload, reason) => {
    expect(checkFeedClaims(payload, expected)).toMatchObject({ ok: false, reason })
  })

  test.each<[string, Readonly<Record<string, JsonValue | undefined>>]>([
    ['incarnation', { incarnation: 1 }],
    ['cursor', { cursor: null }],
    ['prev', { prev: 0 }],
    ['a missing prev', { prev: undefined }],
    ['at', { at: -1 }],
    ['complete', { complete: 'yes' }],
    ['everything', { everything: true }],
    ['dead', { dead: {} }],
    ['a list of the dead', { dead: [7] }],
    ['its uri', { dead: [{ uri: 1, until: NOW, idx: [] }] }],
    ['its end', { dead: [{ uri: 'u', idx: [] }] }],
    ['its indexes', { dead: [{ uri: 'u', until: NOW, idx: 7 }] }],
    ['a negative index', { dead: [{ uri: 'u', until: NOW, idx: [-1] }] }],
    ['a broken index', { dead: [{ uri: 'u', until: NOW, idx: [0.5] }] }],
    ['a huge index', { dead: [{ uri: 'u', until: NOW, idx: [2 ** 20] }] }],
    ['an index that is text', { dead: [{ uri: 'u', until: NOW, idx: ['1'] }] }],
  ])('refuses a wrong %s', (_what, event) => {
    expect(checkFeedClaims(claims({}, event), expected)).toMatchObject({ ok: false, reason: 'token-claims' })
  })

  test('refuses a log that was read in the future', () => {
    expect(checkFeedClaims(claims({}, { at: NOW + 6 }), expected)).toMatchObject({ reason: 'not-yet-valid' })
  })
})

describe('concerning()', () => {
  const dead = (idx: number, changes: { audience?: string; txn?: string; exp?: number } = {}): RevocationEntry => ({
    kind: 'grant',
    at: NOW,
    reason: 'leaked',
    jti: `gr_${idx}`,
    txn: 'tsk_1',
    audience: AUDIENCE,
    status: { uri: `${ISSUER}/status/1`, idx },
    exp: NOW + 60,
    ...changes,
  })
  const stop = { kind: 'stop', at: NOW, reason: 'incident' } as const
  const lift = { kind: 'lift', at: NOW, reason: 'over', cutOff: NOW + 5 } as const

  test('gathers what died for the audience, by list, with the end of the last', () => {
    const entries = [dead(1), dead(2, { exp: NOW + 90 }), dead(3, { audience: 'https://stock.example' })]
    expect(concerning(AUDIENCE, entries)).toEqual({
      dead: [{ uri: `${ISSUER}/status/1`, until: NOW + 90, idx: [1, 2] }],
      txn: 'tsk_1',
    })
  })

  test('names the task only when it is one', () => {
    expect(concerning(AUDIENCE, [dead(1), dead(2, { txn: 'tsk_2' })])).not.toHaveProperty('txn')
  })

  test('tells nobody who was stopped, but everybody of the kill switch, as it is in the end', () => {
    const agent = { kind: 'agent', clientId: 'support-bot' } as const
    const everything = { kind: 'everything' } as const
    expect(concerning(AUDIENCE, [{ ...stop, target: agent }])).toEqual({ dead: [] })
    expect(concerning(AUDIENCE, [{ ...stop, target: everything }])).toEqual({ dead: [], everything: 'stopped' })
    const turned: RevocationEntry[] = [
      { ...stop, target: everything },
      { ...lift, target: everything },
      { ...lift, target: agent },
    ]
    expect(concerning(AUDIENCE, turned)).toEqual({ dead: [], everything: NOW + 5 })
  })
})
