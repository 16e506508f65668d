import { describe, expect, test } from 'vitest'
import { parseSpiffeId } from './spiffe-id.ts'

describe('parseSpiffeId()', () => {
  test.each<[string, string, string]>([
    ['spiffe://example.org/agent', 'example.org', '/agent'],
    ['spiffe://example.org', 'example.org', ''],
    ['spiffe://1.a_b-c/ns/prod/sa/Support_Bot-1.2', '1.a_b-c', '/ns/prod/sa/Support_Bot-1.2'],
    ['spiffe://example.org/...', 'example.org', '/...'],
    [`spiffe://${'a'.repeat(255)}/x`, 'a'.repeat(255), '/x'],
  ])('reads %s', (id, trustDomain, path) => {
    expect(parseSpiffeId(id)).toEqual({ ok: true, value: { trustDomain, path } })
  })

  test.each([
    '',
    'spiffe',
    'spiffe:',
    'spiffe:/',
    'spiffe://',
    'spiffe:///agent',
    'SPIFFE://example.org/agent',
    'Spiffe://example.org/agent',
    'http://example.org/agent',
    'spiffe:example.org/agent',
    ' spiffe://example.org/agent',
    'spiffe://example.org/agent\n',
    'spiffe://Example.org/agent',
    'spiffe://exa mple.org/agent',
    'spiffe://exämple.org/agent',
    'spiffe://example.org:443/agent',
    'spiffe://user@example.org/agent',
    'spiffe://user:pw@example.org/agent',
    'spiffe://[::1]/agent',
    'spiffe://exam%70le.org/agent',
    'spiffe://*/agent',
    'spiffe://example.org/',
    'spiffe://example.org/agent/',
    'spiffe://example.org//agent',
    'spiffe://example.org/a//b',
    'spiffe://example.org/.',
    'spiffe://example.org/..',
    'spiffe://example.org/a/../b',
    'spiffe://example.org/a/./b',
    'spiffe://example.org/%61gent',
    'spiffe://example.org/a b',
    'spiffe://example.org/agent?x=1',
    'spiffe://example.org?x=1',
    'spiffe://example.org/agent#x',
    'spiffe://example.org#x',
    'spiffe://example.org/ägent',
    'spiffe://example.org/a;b',
    'spiffe://example.org/a:b',
    'spiffe://example.org/a@b',
    'spiffe://example.org\\agent',
    'spiffe://example.org/*',
    `spiffe://${'a'.repeat(256)}/x`,
    `spiffe://example.org/${'a'.repeat(2048)}`,
  ])('refuses %j', (id) => {
    expect(parseSpiffeId(id)).toEqual({ ok: false, reason: 'identity-invalid' })
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a list', ['spiffe://example.org/agent']],
    ['a URL', new URL('spiffe://example.org/agent')],
  ])('refuses %s', (_name, id) => {
    expect(parseSpiffeId(id as string)).toEqual({ ok: false, reason: 'identity-invalid' })
  })
})
