import { requestUrl } from '@hallpass/core'
import type { Random } from '../run/random.ts'
import { BOTH, defineTarget, difference, NEITHER, stricter } from './target.ts'

interface UrlCase {
  readonly publicUrl: string
  readonly target: string
}

const BASES = [
  'https://orders.example',
  'https://orders.example/',
  'https://Orders.Example:443',
  'https://gw.example/v1/orders',
  'https://gw.example/v1/',
  'http://localhost:3000',
  'http://127.0.0.1:8080/a',
  'https://[::1]:8443',
  'https://[2001:DB8::1]/x',
  'https://b\u00fccher.example',
]
const PIECES = [
  '/',
  '/',
  '/',
  'orders',
  '7',
  'a',
  '.',
  '..',
  '%2e',
  '%2E%2e',
  '%2f',
  '%5c',
  '%00',
  '%41',
  '%c3%a9',
  '%',
  '%zz',
  '\\',
  ':',
  '@',
  '?',
  '#',
  '&',
  '=',
  '+',
  ' ',
  '\t',
  '\n',
  '\0',
  'é',
  ';',
  '|',
  '[',
  '~',
  '%7e',
  "'",
  '"',
  '*',
  '//',
  '\u2028',
  '\uff0f',
  '\u2024',
]
const HEADS = [
  'http://evil.example',
  'https://evil.example:1',
  'HTTP://u:p@evil.example',
  'https://[::1]',
  '//evil.example',
  'http:',
  'ftp://x',
  'https:\\\\evil.example',
  '*',
  '',
  'https://evil.example\\@orders.example',
]

function makeTarget(random: Random): string {
  const head = random.oneIn(4) ? random.pick(HEADS) : '/'
  return head + Array.from({ length: random.below(9) }, () => random.pick(PIECES)).join('')
}

const unescape = (path: string): string =>
  path.replaceAll(/%[0-9a-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    return /[\w.~-]/.test(character) ? character : escape.toUpperCase()
  })

/** Not by `URL.canParse`, whose answer for Latin-1 changes once Node 20 has compiled it. */
function parsed(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}

/** What a server behind a WHATWG parser sees: path and query, whatever host the request line names. */
function seen(target: string): URL | undefined {
  const text = target.startsWith('/') ? `http://x.invalid${target}` : target
  const url = parsed(text)
  if (url === undefined) return undefined
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined
}

export const requestUrlTarget = defineTarget<UrlCase>({
  name: 'request-url',
  about: 'requestUrl against WHATWG URL, whose host must never get into it',
  make: (random) => ({ publicUrl: random.pick(BASES), target: makeTarget(random) }),
  judge({ publicUrl, target }) {
    const ours = requestUrl(publicUrl, target)
    const theirs = seen(target)
    if (!ours.ok) {
      if (theirs === undefined) return NEITHER
      return explainUrl(target) ? stricter('url-two-readings') : difference('url: refused for no written reason')
    }
    if (theirs === undefined) return difference('url: laxer than WHATWG URL')
    const { url, path, query } = ours.value
    if (path !== unescape(theirs.pathname)) return difference('url: another path than WHATWG URL')
    if (query.replaceAll("'", '%27') !== theirs.search.slice(1)) return difference('url: another query than WHATWG URL')
    const base = new URL(publicUrl)
    const prefix = base.pathname.replace(/\/$/, '')
    const expected = base.origin + prefix + (path === '/' && prefix !== '' ? '' : path)
    if (url !== expected) return difference('url: origin or base path is not the configured one')
    if (/\/\.{1,2}(\/|$)|\/\/|%2f|%5c|[\\\s#]/i.test(path)) return difference('url: took a path with two readings')
    return requestUrl(publicUrl, query === '' ? path : `${path}?${query}`).ok ? BOTH : difference('url: not stable')
  },
})

/** Why a request target is refused though a browser's parser would take it. */
function explainUrl(target: string): boolean {
  const relative = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?#]*/i, '')
  const [path = '', query = ''] = relative.split(/\?(.*)/s)
  return (
    !/^https?:\/\/[^/?#@]|^\//i.test(target) ||
    /^https?:\/\/[^/?#]*@/i.test(target) ||
    target.startsWith('//') ||
    target.length > 8192 ||
    /[^\u0021-\u007e]|[#\\"<>^`{|}]/.test(target) ||
    /[[\]]/.test(path) ||
    /%(?![0-9a-f]{2})/i.test(relative) ||
    /%(2f|5c|[01][0-9a-f]|7f)/i.test(path) ||
    path.includes('//') ||
    path.split('/').some((segment) => ['.', '..'].includes(segment.replaceAll(/%2e/gi, '.'))) ||
    /[{|}"<>]/.test(query)
  )
}
