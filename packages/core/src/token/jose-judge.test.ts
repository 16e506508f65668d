import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { importJWK, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { importVerifyKey, verifySignature } from '#crypto'
import { segment, signer } from '../../test/signer.ts'
import { valueOf } from '../../test/value-of.ts'
import { preflight } from './preflight.ts'
import type { TokenShape } from './preflight.ts'

/**
 * jose is the judge: what we accept, it accepts and reads the same. What it accepts and we refuse has to be for a reason
 * on this list; reference for each is docs of `preflight`.
 */
const STRICTER = {
  'base64url that is not canonical': (token: string) =>
    token.split('.').some((part) => Buffer.from(part, 'base64url').toString('base64url') !== part),
  'JSON that two readers may read differently': (token: string) => partsOf(token).some((text) => !isPlainJson(text)),
  'a header member that is refused': (token: string) =>
    Object.keys(headerOf(token)).some((name) =>
      ['crit', 'b64', 'zip', 'jwk', 'jku', 'x5u', 'x5c', 'enc'].includes(name),
    ),
  'a kid that is no short text': (token: string) => {
    const { kid } = headerOf(token)
    return kid !== undefined && (typeof kid !== 'string' || kid === '' || kid.length > 128)
  },
  'typ in another spelling': (token: string) =>
    !['at+jwt', 'application/at+jwt'].includes(String(headerOf(token)['typ'])),
  'a token beyond its size limit': (token: string) => token.length > 8192,
}

const partsOf = (token: string) =>
  token
    .split('.')
    .slice(0, 2)
    .map((part) => Buffer.from(part, 'base64url').toString('utf8'))
const headerOf = (token: string): Record<string, unknown> => {
  try {
    return JSON.parse(partsOf(token)[0] ?? '') as Record<string, unknown>
  } catch {
    return {}
  }
}

/** Slow and by other means than the parser under test: what JSON.stringify would write, but for white space and order. */
function isPlainJson(text: string): boolean {
  const strip = (json: string) => json.replaceAll(/\s/g, '').length
  try {
    const value = JSON.parse(text) as unknown
    const again = JSON.stringify(value)
    return (
      !text.startsWith('\ufeff') &&
      !text.includes('\\') &&
      !/__proto__|�|e\d|\d{16}/i.test(text) &&
      strip(again) === strip(text) &&
      depthOf(value) <= 16
    )
  } catch {
    return false
  }
}
const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

const ours = signer()
const shape: TokenShape = { typ: ['at+jwt'], alg: ['ES256'], maxBytes: 8192 }
const key = valueOf(await importVerifyKey(ours.jwk, 'ES256'))
const joseKey = await importJWK(ours.jwk as never, 'ES256')
const now = 1800000000
const header = { alg: 'ES256', typ: 'at+jwt', kid: 'k1' }
const payload = {
  iss: 'https://broker.example',
  sub: 'a',
  aud: 'https://a.example',
  iat: now - 5,
  exp: now + 50,
  cnf: { jkt: 'x' },
  list: [1, { a: null }],
}

async function weAccept(token: string): Promise<object | undefined> {
  const read = preflight(token, shape)
  if (!read.ok || !(await verifySignature(key, read.value.signingInput, read.value.signature))) return undefined
  return { header: read.value.header, payload: read.value.payload }
}

async function joseAccepts(token: string): Promise<object | undefined> {
  try {
    const read = await jwtVerify(token, joseKey, {
      algorithms: ['ES256'],
      typ: 'at+jwt',
      currentDate: new Date(now * 1000),
    })
    return { header: read.protectedHeader, payload: read.payload }
  } catch {
    return undefined
  }
}

async function judge(token: string): Promise<'both' | 'neither' | 'stricter'> {
  const [we, jose] = [await weAccept(token), await joseAccepts(token)]
  if (we !== undefined) {
    // jose also looks at the clock, which is not what is judged here.
    if (jose === undefined && isTimely(we)) throw new Error('we accept what jose refuses')
    if (jose !== undefined && !isDeepStrictEqual(we, jose)) throw new Error('we read it differently')
    return 'both'
  }
  if (jose === undefined) return 'neither'
  if (!Object.values(STRICTER).some((applies) => applies(token))) throw new Error('refused for no reason on the list')
  return 'stricter'
}

/** Whether jose's checks of time claims would pass. */
function isTimely(read: object): boolean {
  const { exp, nbf, iat } = (read as { payload: Record<string, unknown> }).payload
  const isDate = (value: unknown) => value === undefined || typeof value === 'number'
  return (
    isDate(exp) &&
    isDate(nbf) &&
    isDate(iat) &&
    !(typeof exp === 'number' && exp <= now) &&
    !(typeof nbf === 'number' && nbf > now)
  )
}

const raw = (change: string, to: string) => ours.token(header, JSON.stringify(payload).replace(change, to))
const good = ours.token(header, payload)

describe('preflight() and verifySignature(), judged by jose', () => {
  test.each<[string, string, 'both' | 'neither' | 'stricter']>([
    ['a good token', good, 'both'],
    ['the full media type', ours.token({ ...header, typ: 'application/at+jwt' }, payload), 'both'],
    ['white space in JSON', ours.token(' {"alg" : "ES256", "typ":"at+jwt"}\n', payload), 'both'],
    ['padding', `${good}==`, 'stricter'],
    ['white space after', `${good}\n`, 'stricter'],
    ['a claim twice', raw('{', '{"iss":"x",'), 'stricter'],
    ['a header member twice', ours.token('{"alg":"none","alg":"ES256","typ":"at+jwt"}', payload), 'stricter'],
    ['a byte order mark', ours.token(header, `\ufeff${JSON.stringify(payload)}`), 'stricter'],
    ['a lone surrogate', raw('"sub":"a"', '"sub":"\\ud800"'), 'stricter'],
    ['exp beyond all numbers', raw(`"exp":${now + 50}`, '"exp":1e999'), 'stricter'],
    ['a prototype', raw('{', '{"__proto__":{},'), 'stricter'],
    ['typ in capitals', ours.token({ ...header, typ: 'AT+JWT' }, payload), 'stricter'],
    ['a key in the header', ours.token({ ...header, jwk: ours.jwk }, payload), 'stricter'],
    ['a key URL', ours.token({ ...header, jku: 'https://evil.example' }, payload), 'stricter'],
    ['deep nesting', raw('"list"', `"deep":${'['.repeat(20)}${']'.repeat(20)},"list"`), 'stricter'],
    ['a long token', ours.token(header, { ...payload, filler: 'x'.repeat(8192) }), 'stricter'],
    ['crit', ours.token({ ...header, crit: ['x'], x: 1 }, payload), 'neither'],
    ['b64', ours.token({ ...header, b64: false, crit: ['b64'] }, payload), 'neither'],
    ['alg none', ours.token({ ...header, alg: 'none' }, payload), 'neither'],
    ['another key', signer().token(header, payload), 'neither'],
    ['a list as payload', ours.token(header, '[]'), 'neither'],
    ['four parts', `${good}.x`, 'neither'],
    ['a zero signature', `${good.slice(0, -86)}${'A'.repeat(86)}`, 'neither'],
  ])('%s', async (_name, token, verdict) => {
    expect(await judge(token)).toBe(verdict)
  })

  test('thousands of damaged tokens', async () => {
    const cut = fc.tuple(
      fc.nat({ max: good.length - 1 }),
      fc.constantFrom('', 'A', '_', '-', '=', '.', ' ', '\n', '+', 'é'),
      fc.nat({ max: 2 }),
    )
    const damaged = fc
      .array(cut, { minLength: 1, maxLength: 2 })
      .map((cuts) => cuts.reduce((token, [at, text, drop]) => token.slice(0, at) + text + token.slice(at + drop), good))
    const counts = { both: 0, neither: 0, stricter: 0 }
    await fc.assert(
      fc.asyncProperty(damaged, async (token) => {
        counts[await judge(token)] += 1
      }),
      { numRuns: 3000 },
    )
    expect(counts.neither).toBeGreaterThan(1000)
  }, 60_000)

  test('thousands of signed tokens with strange JSON', async () => {
    const member = fc.constantFrom(
      '"a":1',
      '"a":2',
      '"\\u0061":1',
      '"sub":"a"',
      '"exp":1e3',
      '"exp":1800000050',
      '"nbf":1.5',
      '"iat":"x"',
      '"x":"\\ud800"',
      '"x":"é😀"',
      '"x":[[[]]]',
      '"__proto__":1',
      '"big":12345678901234567890',
      '"alg":"ES256"',
      '"typ":"at+jwt"',
      '"kid":""',
      '"kid":"k"',
      '"jwk":{}',
      ' "s" : [ 1 , 2 ] ',
    )
    const object = (fixed: string[]) =>
      fc.array(member, { maxLength: 4 }).map((members) => `{${[...fixed, ...members].join(',')}}`)
    const tail = fc.constantFrom('', '', '', ' ', '\n', ',', '{}', '\u0000', '\ufeff')
    const counts = { both: 0, neither: 0, stricter: 0 }
    await fc.assert(
      fc.asyncProperty(object(['"alg":"ES256"', '"typ":"at+jwt"']), object([]), tail, async (head, body, end) => {
        counts[await judge(ours.token(head, body + end))] += 1
      }),
      { numRuns: 2000 },
    )
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(50)
  }, 60_000)

  test('thousands of random headers and payloads, read the same', async () => {
    const value = fc.jsonValue({ maxDepth: 3 })
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), value, { maxKeys: 5 }), async (claims) => {
        expect(
          await judge(
            `${segment(header)}.${segment(claims)}.${ours.signature(`${segment(header)}.${segment(claims)}`)}`,
          ),
        ).not.toBe('neither')
      }),
      { numRuns: 500 },
    )
  }, 60_000)
})
