import { describe, expect, test } from 'vitest'
import { confusionsOf } from '../../test/confusions.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { checkStatusListClaims } from './check-status-list-claims.ts'

const now = 1_800_000_000
const uri = 'https://broker.example/status/1'
const list: JsonObject = {
  iss: 'https://broker.example',
  sub: uri,
  iat: now - 10,
  nbf: now - 10,
  exp: now + 50,
  ttl: 30,
  status_list: { bits: 2, lst: 'eNrbuRgAAhcBXQ' },
}
const expectation = {
  uri,
  issuer: 'https://broker.example',
  now,
  lastIat: undefined,
  maxStalenessSeconds: 60,
  skewSeconds: 5,
}
const reasons: Readonly<Record<string, readonly string[]>> = {
  iss: ['issuer-unknown'],
  iat: ['token-claims', 'status-stale'],
  nbf: ['token-claims', 'status-stale'],
  exp: ['token-claims', 'status-stale'],
}

/** A later end, another pace, and another list are as good; what the list holds is looked at when it is inflated. */
const isFair = (name: string, bad: JsonValue): boolean =>
  ((name === 'exp' || name === 'ttl') && typeof bad === 'number' && bad > 0) ||
  (name === 'lst' && typeof bad === 'string' && /^[\w-]+$/.test(bad))

/** Whether it is refused for a reason that fits, and what was answered. */
const refusal = (name: string, claims: JsonObject): readonly [boolean, unknown] => {
  const answer = checkStatusListClaims(claims, expectation)
  return [!answer.ok && (reasons[name] ?? ['token-claims']).includes(answer.reason), answer]
}
const rowsOf = (object: JsonObject) =>
  Object.entries(object).flatMap(([name, good]) =>
    confusionsOf(good)
      .filter(([, bad]) => !isFair(name, bad))
      .map(([title, bad]) => [`${name}: ${title}`, name, bad] as const),
  )

describe('checkStatusListClaims() does not take for a claim', () => {
  test('anything but it: the honest list passes', () => {
    expect(checkStatusListClaims(list, expectation)).toMatchObject({ ok: true, value: { bits: 2 } })
  })

  test.each(rowsOf(list))('%s', (_title, name, bad) => {
    expect(refusal(name, { ...list, [name]: bad })).toEqual([true, expect.anything()])
  })

  test.each(rowsOf(list['status_list'] as JsonObject))('%s', (_title, name, bad) => {
    const bent = { ...list, status_list: { ...(list['status_list'] as JsonObject), [name]: bad } }
    expect(refusal(name, bent)).toEqual([true, expect.anything()])
  })
})
