import { describe, expect, test } from 'vitest'
import { requireSecureUrl } from './secure-url.ts'

describe('requireSecureUrl()', () => {
  test.each([
    'https://a.example',
    'https://a.example:8443/tenant?x=y',
    'https://localhost',
    'http://localhost:3000',
    'http://127.0.0.1:1/x',
    'http://[::1]',
  ])('takes %s', (text) => {
    expect(requireSecureUrl(text, 'issuer').href).toBe(new URL(text).href)
  })

  test.each([
    '',
    'a.example',
    'http://a.example',
    'http://localhost.a.example',
    'http://127.0.0.2',
    'http://0.0.0.0',
    'ftp://localhost',
    'ws://localhost',
    'file:///etc/passwd',
    'https://user@a.example',
    'https://:secret@a.example',
    'http://user@localhost',
    'https://a.example#x',
  ])('refuses %j, and says by name what to change', (text) => {
    expect(() => requireSecureUrl(text, 'publicUrl')).toThrow(
      expect.objectContaining({
        code: 'configuration-invalid',
        message: expect.stringContaining('publicUrl must be') as string,
      }),
    )
  })
})
