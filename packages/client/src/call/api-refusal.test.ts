import { describe, expect, test } from 'vitest'
import { readApiAnswer } from './api-refusal.ts'

const problem = 'application/problem+json'
const ours = (type: string) => JSON.stringify({ type: `urn:hallpass:problem:${type}`, event: 'ev_1' })

describe('readApiAnswer()', () => {
  test.each<[string, number, Record<string, string>, string | null, string]>([
    ['our problem', 401, { 'content-type': problem }, ours('grant-revoked'), 'grant-revoked'],
    [
      'our problem with a charset',
      401,
      { 'content-type': `${problem}; charset=utf-8` },
      ours('task-closed'),
      'task-ended',
    ],
    ['our problem of a kind that is new', 403, { 'content-type': problem }, ours('new'), 'action-mismatch'],
    ['our problem of a kind that is new, and 5xx', 503, { 'content-type': problem }, ours('new'), 'status-stale'],
    [
      'a challenge alone',
      401,
      { 'www-authenticate': 'DPoP error="invalid_token", algs="ES256"' },
      null,
      'token-expired',
    ],
    [
      "a challenge beside somebody else's problem",
      401,
      { 'content-type': problem, 'www-authenticate': 'DPoP error="invalid_dpop_proof"' },
      '{"type":"about:blank"}',
      'proof-malformed',
    ],
  ])('readApiAnswer() of %s is a refusal', async (...row) => {
    const [, status, headers, body, reason] = row
    expect(await readApiAnswer(new Response(body, { status, headers }))).toMatchObject({
      ok: false,
      refusal: { reason },
    })
  })

  test.each<[string, number, Record<string, string>, string]>([
    ['a success that looks like a problem', 200, { 'content-type': problem }, ours('grant-revoked')],
    ['another scheme', 401, { 'www-authenticate': 'Bearer error="invalid_token"' }, 'no'],
    ['a challenge without an error', 401, { 'www-authenticate': 'DPoP algs="ES256"' }, 'no'],
    ['an error nobody knows', 401, { 'www-authenticate': 'DPoP error="what_now"' }, 'no'],
    [
      'an error nobody knows, beside a problem',
      401,
      { 'content-type': problem, 'www-authenticate': 'DPoP error="what_now"' },
      '{}',
    ],
    ['our words in plain JSON', 401, { 'content-type': 'application/json' }, ours('grant-revoked')],
    [
      'a type that only contains ours',
      401,
      { 'content-type': problem },
      '{"type":"x-urn:hallpass:problem:grant-revoked"}',
    ],
    ['a type that is no text', 401, { 'content-type': problem }, '{"type":["urn:hallpass:problem:grant-revoked"]}'],
    ['a problem too long to be ours', 401, { 'content-type': problem }, ours('grant-revoked').padEnd(20_000)],
  ])("readApiAnswer() of %s is the API's own answer", async (...row) => {
    const [, status, headers, body] = row
    const answer = await readApiAnswer(new Response(body, { status, headers }))
    expect(answer.ok).toBe(true)
    expect('value' in answer && (await answer.value.text())).toBe(body)
  })
})
