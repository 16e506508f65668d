import { expect, test } from 'vitest'
import { readIdempotencyKey } from './idempotency-key.ts'

test.each([
  ['call-1', 'call-1'],
  ['"call-1"', 'call-1'],
  ['"a \\"b\\" \\\\c"', 'a "b" \\c'],
  ['x'.repeat(255), 'x'.repeat(255)],
  [`"${'x'.repeat(255)}"`, 'x'.repeat(255)],
  ['0d5e0c7e-7d54-4c3a-9d0d-1f0b8a4e1c11', '0d5e0c7e-7d54-4c3a-9d0d-1f0b8a4e1c11'],
])('readIdempotencyKey() reads %s', (field, key) => {
  expect(readIdempotencyKey(field)).toEqual({ ok: true, value: key })
})

test.each([
  '',
  '""',
  'a b',
  'a,b',
  'a"b',
  '"é"',
  'x'.repeat(256),
  `"${'x'.repeat(256)}"`,
  'aé',
  'éa',
  '"aé"',
  '"éa"',
  '"a\u0001"',
  '"\u007fa"',
  '"',
  '"a", "b"',
  '"a" "b"',
  '"a\\',
])('readIdempotencyKey() refuses %j', (field) => {
  expect(readIdempotencyKey(field)).toMatchObject({ ok: false, reason: 'request-malformed' })
})
