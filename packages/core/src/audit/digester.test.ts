import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createDigester } from './digester.ts'

const key = new Uint8Array(32).fill(7)

describe('createDigester()', () => {
  test('is HMAC-SHA-256 over canonical JSON', () => {
    const mac = createHmac('sha256', key).update('{"amount":"42.00","reason":"late"}').digest('base64url')
    expect(createDigester(key)({ reason: 'late', amount: '42.00' })).toBe(`hmac-sha-256:${mac}`)
  })

  test('needs the key to try values out', () => {
    const other = createDigester(new Uint8Array(32).fill(8))
    expect(createDigester(key)({ amount: '42.00' })).not.toBe(other({ amount: '42.00' }))
  })

  test('keeps its own copy of the key', () => {
    const mine = Uint8Array.from(key)
    const digest = createDigester(mine)
    const before = digest('x')
    mine.fill(0)
    expect(digest('x')).toBe(before)
  })

  test.each([new Uint8Array(31), new Uint8Array(0), 'x'.repeat(32) as unknown as Uint8Array])(
    'refuses the key %#',
    (bad) => {
      expect(() => createDigester(bad)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
    },
  )
})
