import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { valueOf } from '../../test/value-of.ts'
import { isSameUrl, requestUrl } from './request-url.ts'

const base = 'https://orders.example'
/** Any character, the near ones more often. Cheaper to make than fast-check's own list of all of them. */
const character = fc
  .oneof(fc.nat(0x7f), fc.nat(0x2fff), fc.nat(0x10f7ff))
  .map((code) => String.fromCodePoint(code < 0xd800 ? code : code + 0x800))

describe('requestUrl()', () => {
  test.each<[string, string, { url: string; path: string; query: string }]>([
    [base, '/', { url: `${base}/`, path: '/', query: '' }],
    [base, '/orders/123', { url: `${base}/orders/123`, path: '/orders/123', query: '' }],
    [base, '/orders?a=1&b=%20', { url: `${base}/orders`, path: '/orders', query: 'a=1&b=%20' }],
    [base, '/orders?', { url: `${base}/orders`, path: '/orders', query: '' }],
    [base, '/orders?a=/../?//', { url: `${base}/orders`, path: '/orders', query: 'a=/../?//' }],
    [base, '/orders/', { url: `${base}/orders/`, path: '/orders/', query: '' }],
    [base, '/%6frders/%7e', { url: `${base}/orders/~`, path: '/orders/~', query: '' }],
    [base, '/a%20b/%c3%a9', { url: `${base}/a%20b/%C3%A9`, path: '/a%20b/%C3%A9', query: '' }],
    [base, '/a..b/.c/d.', { url: `${base}/a..b/.c/d.`, path: '/a..b/.c/d.', query: '' }],
    [base, "/a:b@c;d=1,2!$&'()*+", { url: `${base}/a:b@c;d=1,2!$&'()*+`, path: "/a:b@c;d=1,2!$&'()*+", query: '' }],
    [base, 'http://evil.example/orders?a=1', { url: `${base}/orders`, path: '/orders', query: 'a=1' }],
    [base, 'HTTPS://evil.example:1/orders', { url: `${base}/orders`, path: '/orders', query: '' }],
    [base, 'http://evil.example', { url: `${base}/`, path: '/', query: '' }],
    [base, 'http://evil.example?a=1', { url: `${base}/`, path: '/', query: 'a=1' }],
    ['https://Orders.Example:443', '/a', { url: `${base}/a`, path: '/a', query: '' }],
    ['http://localhost:3000', '/%21%24', { url: 'http://localhost:3000/%21%24', path: '/%21%24', query: '' }],
    ['http://localhost:3000/', '/a', { url: 'http://localhost:3000/a', path: '/a', query: '' }],
    ['https://gw.example/v1/orders', '/a?b', { url: 'https://gw.example/v1/orders/a', path: '/a', query: 'b' }],
    ['https://gw.example/v1/', '/', { url: 'https://gw.example/v1', path: '/', query: '' }],
  ])('%s and %s', (publicUrl, target, expected) => {
    expect(requestUrl(publicUrl, target)).toEqual({ ok: true, value: expected })
  })

  test.each([
    '',
    '*',
    'orders',
    '?a=1',
    'orders.example:443',
    'ftp://a/b',
    'xhttp://evil.example/orders',
    ' http://evil.example/orders',
    'javascript:alert(1)',
    'http:/a',
    'http:a',
    'http://%/orders',
    'http://é/orders',
    'http://\u00c3\u00a9/orders',
    'http://a\u0000/orders',
    'http://a\u0000',
    'http://|/orders',
    'http://a:b/orders',
    'http://a:99999/orders',
    'http://[::1/orders',
    'http://a%00b/orders',
    'http://evil.example:1orders',
    '//evil.example/orders',
    '///evil.example',
    '/orders//123',
    '/orders//',
    'http://evil.example//orders',
    '/..',
    '/.',
    '/a/../b',
    '/a/./b',
    '/a/..',
    '/%2e%2e/a',
    '/a/%2E./b',
    '/a/.%2e',
    '/a%2fb',
    '/a%2Fb',
    '/a%5cb',
    '/a\\b',
    '\\evil.example\\a',
    '/\\evil.example',
    'http://evil.example\\@orders.example/a',
    'http://user@orders.example/a',
    'HTTPS://user:pw@evil.example:1/orders',
    'http://:@/orders',
    'http:///orders',
    '/a%00b',
    '/a%0d%0ab',
    '/a%7f',
    '/a%1f',
    '/a%00',
    '/a\u0000',
    '/a\tb',
    '/a\nb',
    '/a b',
    '/é',
    '/\ud800',
    '/a%',
    '/a%2',
    '/a%zz',
    '/a%u0041',
    '/a#b',
    '/a?b#c',
    '/a|b',
    '/a[b]',
    '/a{b}',
    '/a"b',
    '/a<b>',
    '/a^b',
    '/a`b',
    '/a?b c',
    '/a?b\u0000',
    '/a?%zz',
    '/a?é',
    '/a?<b>',
    '/a?"b"',
    '/a?b\\c',
    `/${'a'.repeat(8192)}`,
  ])('refuses %j', (target) => {
    expect(requestUrl(base, target)).toMatchObject({ ok: false, reason: 'request-malformed' })
  })

  test('takes 8192 characters', () => {
    const target = `/${'a'.repeat(8191)}`
    expect(requestUrl(base, target)).toEqual({ ok: true, value: { url: base + target, path: target, query: '' } })
    expect(requestUrl(base, `${target}a`)).toMatchObject({ ok: false })
  })

  test('knows each public URL again', () => {
    for (let n = 0; n < 70; n++) {
      const one = `https://h${n}.example/v${n}`
      const url = valueOf(requestUrl(one, '/a')).url
      expect([url, valueOf(requestUrl(one, '/a')).url]).toEqual([`${one}/a`, `${one}/a`])
    }
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a list', ['/a']],
  ])('refuses %s', (_name, target) => {
    expect(requestUrl(base, target as string)).toMatchObject({ ok: false, reason: 'request-malformed' })
  })

  test('whatever the request line says, scheme, host and base path stay', () => {
    const piece = fc.constantFrom(
      '/',
      '//',
      '\\',
      ':',
      '@',
      '?',
      '#',
      '.',
      '..',
      '%2e',
      '%2f',
      '%5c',
      '%00',
      'http:',
      'https://',
      'evil.example',
      ':443',
      'a',
      'B',
      '%41',
      '*',
      ' ',
      '\t',
      '\r\n',
      '[',
      ']',
      ';',
      '&',
      '=',
      'é',
      '\u0000',
      '%ff',
      '@orders.example',
    )
    const segment = fc.constantFrom('/a', '/%41', '/a:b@c', '/x.y', '/..a', '/%c3%a9', '?b=1', '/')
    const target = fc.oneof(
      fc.array(segment, { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join('')),
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
      fc.tuple(segment, fc.array(piece, { maxLength: 3 })).map(([first, pieces]) => first + pieces.join('')),
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.string({ unit: character }),
    )
    const publicUrl = fc.constantFrom(base, 'http://localhost:3000', 'https://gw.example/v1')
    let accepted = 0
    fc.assert(
      fc.property(publicUrl, target, (configured, text) => {
        const asked = requestUrl(configured, text)
        accepted += asked.ok ? 1 : 0
        const answer = asked.ok ? asked : requestUrl(configured, '/refused')
        const { url, path, query } = valueOf(answer)
        const seen = new URL(url)
        expect(seen.origin).toBe(new URL(configured).origin)
        expect(seen.href.startsWith(new URL(configured).href)).toBe(true)
        expect([seen.username, seen.password, seen.search, seen.hash]).toEqual(['', '', '', ''])
        // Another parser sees the same path, and a second reading changes nothing.
        expect(url).toBe(configured + (configured.endsWith('/v1') && path === '/' ? '' : path))
        expect(requestUrl(configured, query === '' ? path : `${path}?${query}`)).toEqual(answer)
      }),
      { numRuns: 1500 },
    )
    expect(accepted).toBeGreaterThan(100)
  }, 60_000)

  test.each([
    '',
    'orders.example',
    '/a',
    'ftp://orders.example',
    'https://',
    'https://user@orders.example',
    'https://:password@orders.example',
    'https://orders.example/a%2fb',
    'https://orders.example:99999',
    'xhttps://orders.example',
    'https://orders.example?a',
    'https://orders.example#a',
    'https://orders.example//a',
    'https://orders.example\\a',
    ' https://orders.example',
  ])('throws for the public URL %j', (publicUrl) => {
    expect(() => requestUrl(publicUrl, '/')).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })
})

describe('isSameUrl()', () => {
  test.each(['é', '\u00ad', '\u200b', '\0', '\u0001', '\u001f', '\u007f', '\u0000\u0000'])(
    'takes no host that ends in %j',
    (control) => {
      expect(isSameUrl(`https://orders.example${control}/a`, 'https://orders.example/a')).toBe(false)
      expect(isSameUrl(`https://orders.example:443${control}/a`, 'https://orders.example/a')).toBe(false)
      expect(isSameUrl(`https://orders.example:443/a`, 'https://orders.example/a')).toBe(true)
    },
  )

  test.each([
    [base, `${base}/`],
    ['HTTPS://Orders.Example', `${base}/`],
    [`${base}:443`, `${base}/`],
    ['HTTP://localhost:3000/a', 'http://localhost:3000/a'],
    [`${base}/x/..`, `${base}/`],
    [`${base}/a/.`, `${base}/a/`],
    [`${base}/a/x/%2e%2E`, `${base}/a/`],
    [`${base}/a/%2E`, `${base}/a/`],
    [`${base}/./a`, `${base}/a`],
    [`${base}/../a`, `${base}/a`],
    [`${base}/a/../../b`, `${base}/b`],
    [`${base}/a/x/../b`, `${base}/a/b`],
    [`${base}/a/..b/.c`, `${base}/a/..b/.c`],
    [`${base}/a%2f`, `${base}/a%2f`],
    [`${base}/%c3%a9`, `${base}/%C3%A9`],
  ])('%s is %s', (htu, url) => {
    expect(isSameUrl(htu, url)).toBe(true)
  })

  test.each([
    [base, `${base}/a`],
    [`${base}/a`, `${base}/`],
    [`${base}/a/..`, `${base}/a`],
    [`${base}/a/.`, `${base}/a`],
    [`${base}/a/%2f`, `${base}/a/`],
    [`x${base}:443/a`, `${base}/a`],
    [`${base}:443/a?`, `${base}/a`],
    [`${base}:443/a#`, `${base}/a`],
    [`${base}:443/a\n`, `${base}/a`],
    [`${base}:443/a\\`, `${base}/a`],
    ['https://orders.example:99999/a', `${base}/a`],
    ['https://user@orders.example/a', `${base}/a`],
    ['https:///a', `${base}/a`],
    ['', `${base}/`],
  ])('%s is not %s', (htu, url) => {
    expect(isSameUrl(htu, url)).toBe(false)
  })

  test('takes what a client writes for the URL it calls', () => {
    const part = fc.stringMatching(/^[A-Za-z0-9._~-]{1,8}$/).filter((text) => text !== '.' && text !== '..')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
        const path = `/${parts.join('/')}`
        const answer = requestUrl(base, path)
        expect(answer.ok && isSameUrl(new URL(path, 'HTTPS://ORDERS.EXAMPLE:443').href, answer.value.url)).toBe(true)
      }),
    )
  })

  test('takes no URL that another reader sees elsewhere', () => {
    const start = fc.constantFrom(
      'https://orders.example',
      'HTTPS://ORDERS.EXAMPLE',
      'https://orders.example:443',
      'https://',
      '//',
      'http://orders.example',
    )
    const piece = fc.constantFrom(
      '/',
      '/a',
      '/%61',
      'a',
      '@',
      ':443',
      '\\',
      '?',
      '#',
      '/..',
      '/.',
      '%2e',
      '%2f',
      'evil.example',
      'orders.example',
      '\t',
    )
    let same = 0
    fc.assert(
      fc.property(start, fc.array(piece, { maxLength: 4 }), (origin, pieces) => {
        const htu = origin + pieces.join('')
        const isSame = isSameUrl(htu, `${base}/a`)
        same += isSame ? 1 : 0
        expect(isSame ? new URL(htu).href.replace('%61', 'a') : `${base}/a`).toBe(`${base}/a`)
      }),
      { numRuns: 3000 },
    )
    expect(same).toBeGreaterThan(5)
  })
})
