import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../json/value.ts'
import { parseEvent, parseVerifierEvent } from './parse-event.ts'

const audience = 'https://orders.example'
const good: JsonObject = {
  id: 'ev_abcdefgh',
  type: 'use.ended',
  time: 1750000000.5,
  source: `verifier:${audience}#1`,
  aud: audience,
  status: 201,
}

describe('parseEvent()', () => {
  test('takes an event as it is', () => {
    expect(parseEvent(good)).toEqual({ ok: true, value: good })
  })

  test.each([
    ['a member that events do not have', { ...good, access_token: 'x' }],
    ['seq', { ...good, seq: 1 }],
    ['hash', { ...good, hash: 'x' }],
    ['__proto__', JSON.parse(`{"__proto__":1,"id":"ev_abcdefgh"}`) as JsonObject],
    ['constructor', { ...good, constructor: 'x' }],
    ['an unknown type', { ...good, type: 'use.invented' }],
    ['a type that every object has', { ...good, type: 'toString' }],
    ['another id', { ...good, id: 'gr_abcdefgh' }],
    ['an id with a line break', { ...good, id: 'ev_abcdefgh\n' }],
    ['a status as text', { ...good, status: '201' }],
    ['a time before time', { ...good, time: -1 }],
    ['no time', { id: 'ev_abcdefgh', type: 'use.ended', source: 'x' }],
    ['no source', { ...good, source: '' }],
    ['a very long note', { ...good, note: 'x'.repeat(4097) }],
    ['very large data', { ...good, data: 'x'.repeat(20_000) }],
    ['null', null],
    ['a list', [good]],
    ['text', 'ev_abcdefgh'],
  ])('refuses %s', (_name, value) => {
    expect(parseEvent(value)).toMatchObject({ ok: false, reason: 'request-invalid' })
  })
})

describe('parseVerifierEvent()', () => {
  test.each(['use.started', 'use.refused', 'use.passed', 'traffic.refused'])('takes %s', (type) => {
    expect(parseVerifierEvent({ ...good, type }, audience)).toMatchObject({ ok: true })
  })

  test.each([
    ['in the name of the broker', { source: `broker:${audience}` }],
    ['in the name of an API whose audience starts with its own', { source: `verifier:${audience}.evil.example#1` }],
    ['in the name of an API below its own', { source: `verifier:${audience}/v2` }],
    ['about another audience', { aud: 'https://billing.example' }],
    ['about a grant', { type: 'grant.issued' }],
    ['about a revocation', { type: 'revocation.lifted' }],
    ['about the trail', { type: 'trail.checkpoint' }],
  ])('refuses an API that speaks %s', (_name, change) => {
    expect(parseVerifierEvent({ ...good, ...change }, audience)).toMatchObject({
      ok: false,
      reason: 'caller-not-allowed',
    })
  })
})
