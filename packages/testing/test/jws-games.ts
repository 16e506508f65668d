import { createHmac, createPublicKey, sign } from 'node:crypto'
import type { JsonObject, RefusalReason } from '@hallpass/core'
import { jwsPart, testKey } from '../src/key/test-key.ts'
import type { TestKey } from '../src/key/test-key.ts'

/** A good token of one kind, and the key it is signed by. */
export interface JwsSeed {
  readonly header: JsonObject
  readonly payload: JsonObject
  readonly key: TestKey
}

/** A way to write a signed token that no strict reader takes, whatever the token is for (standards.md 3.0). */
export interface JwsGame {
  readonly id: string
  readonly title: string
  readonly reason: Extract<RefusalReason, 'token-malformed' | 'token-algorithm' | 'token-type' | 'token-signature'>
  /** Kinds of token to which this is no game. */
  readonly fairFor?: readonly string[]
  readonly play: (seed: JwsSeed) => string
}

const stranger = testKey()
const json = (value: object): string => JSON.stringify(value)

/** Signed over octets as they are, by the right key. */
function signed(header: string, payload: string | Uint8Array, { privateKey }: TestKey): string {
  const input = `${Buffer.from(header).toString('base64url')}.${Buffer.from(payload).toString('base64url')}`
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}
const honest = ({ header, payload, key }: JwsSeed): string => signed(json(header), json(payload), key)
const parts = (seed: JwsSeed): [string, string, string] => honest(seed).split('.') as [string, string, string]
const withHeader = (seed: JwsSeed, change: object): string =>
  signed(json({ ...seed.header, ...change }), json(seed.payload), seed.key)
const withPayloadText = (seed: JwsSeed, change: (text: string) => string): string =>
  signed(json(seed.header), change(json(seed.payload)), seed.key)
const withHeaderText = (seed: JwsSeed, change: (text: string) => string): string =>
  signed(change(json(seed.header)), json(seed.payload), seed.key)
const withSignature = (seed: JwsSeed, bend: (signature: Buffer, input: string) => Buffer): string => {
  const [header, payload, signature] = parts(seed)
  const input = `${header}.${payload}`
  return `${input}.${bend(Buffer.from(signature, 'base64url'), input).toString('base64url')}`
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** As many spaces behind the JSON as it takes for the last character to have bits to spare. */
const spare = (text: string): string => text + ' '.repeat((4 - (text.length % 3)) % 3)
const stray = (segment: string): string =>
  segment.slice(0, -1) + ALPHABET.charAt(ALPHABET.indexOf(segment.slice(-1)) ^ 1)

type Row = readonly [id: string, title: string, play: JwsGame['play'], fairFor?: readonly string[]]

const text: readonly Row[] = [
  [
    'padding-header',
    'a padded header',
    (s) =>
      parts(s)
        .with(0, `${parts(s)[0]}=`)
        .join('.'),
  ],
  ['padding-payload', 'a padded payload', (s) => honest(s).replace(/\.(?=[^.]*$)/, '=.')],
  ['padding-signature', 'a padded signature', (s) => `${honest(s)}==`],
  [
    'alphabet',
    'the standard alphabet',
    (s) => withPayloadText(s, (t) => t.replace('{', '{"~~~":"???",')).replace(/[-_]/g, '+'),
  ],
  ['stray-header', 'stray bits behind the header', (s) => bent(withHeaderText(s, spare), 0)],
  ['stray-payload', 'stray bits behind the payload', (s) => bent(withPayloadText(s, spare), 1)],
  ['stray-signature', 'stray bits behind the signature', (s) => bent(honest(s), 2)],
  ['space-before', 'a space before', (s) => ` ${honest(s)}`],
  ['space-after', 'a space after', (s) => `${honest(s)} `],
  ['space-inside', 'a space inside', (s) => honest(s).replace('.', '. ')],
  ['line-break', 'a line break after', (s) => `${honest(s)}\n`],
  ['folded', 'a folded line', (s) => honest(s).replace('.', '\r\n .')],
  ['tab', 'a tab inside a segment', (s) => `${honest(s).slice(0, 9)}\t${honest(s).slice(9)}`],
  ['nul', 'a NUL after', (s) => `${honest(s)}\0`],
  ['twice', 'two tokens and a comma', (s) => `${honest(s)}, ${honest(s)}`],
  ['joined', 'two tokens and a comma, without a space', (s) => `${honest(s)},${honest(s)}`],
  ['comma', 'a comma after', (s) => `${honest(s)},`],
  ['two-parts', 'two parts', (s) => parts(s).slice(0, 2).join('.')],
  ['four-parts', 'four parts', (s) => `${honest(s)}.${parts(s)[2]}`],
  ['five-parts', 'five parts, as in JWE', (s) => `${honest(s)}.AAAA.AAAA`],
  ['dot-ahead', 'a dot ahead', (s) => `.${honest(s)}`],
  ['dot-behind', 'a dot behind', (s) => `${honest(s)}.`],
  ['no-header', 'no header', (s) => `.${parts(s)[1]}.${parts(s)[2]}`],
  ['no-payload', 'no payload, as if detached', (s) => `${parts(s)[0]}..${parts(s)[2]}`],
  ['no-signature', 'no signature', (s) => `${parts(s)[0]}.${parts(s)[1]}.`],
  [
    'flattened',
    'flattened JSON serialisation',
    (s) => json({ protected: parts(s)[0], payload: parts(s)[1], signature: parts(s)[2] }),
  ],
  [
    'general',
    'general JSON serialisation',
    (s) => json({ payload: parts(s)[1], signatures: [{ protected: parts(s)[0], signature: parts(s)[2] }] }),
  ],
  ['full-width', 'a full-width letter', (s) => `${honest(s)}\uff21`],
  ['escaped-dot', 'an escaped dot', (s) => honest(s).replace('.', '%2e')],
  ['empty', 'nothing', () => ''],
  ['dots', 'only dots', () => '..'],
]

const bent = (token: string, at: number): string => {
  const segments = token.split('.')
  return segments.with(at, stray(segments[at] ?? '')).join('.')
}
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`
const first = (member: string) => (object: string) => object.replace('{', `{${member},`)

const documents: readonly Row[] = [
  ['duplicate-alg-first', 'alg twice, none first', (s) => withHeaderText(s, first('"alg":"none"'))],
  ['duplicate-alg-last', 'alg twice, none last', (s) => withHeaderText(s, (t) => t.replace(/}$/, ',"alg":"none"}'))],
  ['duplicate-alg-escaped', 'alg twice, once escaped', (s) => withHeaderText(s, first('"\\u0061lg":"ES256"'))],
  ['duplicate-claim', 'a claim twice', (s) => withPayloadText(s, first('"iat":1'))],
  [
    'duplicate-claim-equal',
    'a claim twice, both alike',
    (s) => withPayloadText(s, first(`"iat":${JSON.stringify(s.payload['iat'])}`)),
  ],
  ['duplicate-claim-escaped', 'a claim twice, once escaped', (s) => withPayloadText(s, first('"\\u0069at":1'))],
  ['duplicate-deep', 'a member twice, deep down', (s) => withPayloadText(s, first('"x":[{"y":{"z":1,"z":1}}]'))],
  ['bom-header', 'a byte order mark before the header', (s) => withHeaderText(s, (t) => `\ufeff${t}`)],
  ['bom-payload', 'a byte order mark before the payload', (s) => withPayloadText(s, (t) => `\ufeff${t}`)],
  ['surrogate-value', 'a lone surrogate as value', (s) => withPayloadText(s, first('"x":"\\ud800"'))],
  ['surrogate-name', 'a lone surrogate as name', (s) => withPayloadText(s, first('"\\udc00":1'))],
  ['surrogate-reversed', 'a pair in reverse', (s) => withPayloadText(s, first('"x":"\\ude00\\ud83d"'))],
  ['utf8-invalid', 'octets that are no UTF-8', (s) => octets(s, [0xff])],
  ['utf8-overlong', 'an overlong slash', (s) => octets(s, [0xc0, 0xaf])],
  ['utf8-surrogate', 'a surrogate as octets', (s) => octets(s, [0xed, 0xa0, 0x80])],
  ['utf8-cut', 'a character cut short', (s) => octets(s, [0xe2, 0x82])],
  ['depth-array', 'lists 17 deep', (s) => withPayloadText(s, first(`"x":${nested(16)}`))],
  ['depth-object', 'objects 17 deep', (s) => withPayloadText(s, first(`"x":${'{"a":'.repeat(16)}1${'}'.repeat(16)}`))],
  ['depth-header', 'a deep header', (s) => withHeaderText(s, first(`"x":${nested(300)}`))],
  ['depth-open', 'lists that never close', (s) => withPayloadText(s, () => '['.repeat(1500))],
  ['number-infinite', 'a number beyond all doubles', (s) => withPayloadText(s, first('"x":1e999'))],
  ['number-minus-infinite', 'one below all doubles', (s) => withPayloadText(s, first('"x":-1e999'))],
  ['number-huge', 'a whole number no double holds', (s) => withPayloadText(s, first('"x":9007199254740993'))],
  ['number-zero-ahead', 'a zero ahead', (s) => withPayloadText(s, first('"x":01'))],
  ['number-hex', 'a hexadecimal number', (s) => withPayloadText(s, first('"x":0x10'))],
  ['number-nan', 'NaN', (s) => withPayloadText(s, first('"x":NaN'))],
  ['number-infinity', 'Infinity', (s) => withPayloadText(s, first('"x":Infinity'))],
  ['number-plus', 'a plus', (s) => withPayloadText(s, first('"x":+1'))],
  ['number-point', 'a point without digits', (s) => withPayloadText(s, first('"x":1.'))],
  ['trailing-comma', 'a comma behind the last member', (s) => withPayloadText(s, (t) => t.replace(/}$/, ',}'))],
  ['comment', 'a comment', (s) => withPayloadText(s, (t) => `${t}/* */`)],
  ['single-quotes', 'single quotes', (s) => withPayloadText(s, first("'x':1"))],
  ['control', 'a raw control character', (s) => withPayloadText(s, first('"x":"\n"'))],
  ['second-document', 'a second document behind the first', (s) => withPayloadText(s, (t) => t + t)],
  ['trailing-nul', 'a NUL behind the document', (s) => withPayloadText(s, (t) => `${t}\0`)],
  ['no-break-space', 'a no-break space as white space', (s) => withPayloadText(s, (t) => `\u00a0${t}`)],
  ['proto-header', 'a prototype in the header', (s) => withHeaderText(s, first('"__proto__":{"alg":"ES256"}'))],
  ['proto-payload', 'a prototype in the payload', (s) => withPayloadText(s, first('"__proto__":{"admin":true}'))],
  ['proto-deep', 'a prototype deep down', (s) => withPayloadText(s, first('"x":{"__proto__":null}'))],
  ['payload-list', 'a list as payload', (s) => withPayloadText(s, (t) => `[${t}]`)],
  ['payload-text', 'a text as payload', (s) => withPayloadText(s, (t) => JSON.stringify(t))],
  ['payload-null', 'null as payload', (s) => withPayloadText(s, () => 'null')],
  ['payload-space', 'nothing but a space as payload', (s) => withPayloadText(s, () => ' ')],
  ['header-list', 'a list as header', (s) => withHeaderText(s, (t) => `[${t}]`)],
  ['header-null', 'null as header', (s) => withHeaderText(s, () => 'null')],
]

function octets({ header, payload, key }: JwsSeed, bad: readonly number[]): string {
  const [head = '', tail = ''] = json({ ...payload, x: '~' }).split('~')
  return signed(json(header), Buffer.concat([Buffer.from(head), Buffer.from(bad), Buffer.from(tail)]), key)
}

const members: readonly Row[] = [
  ['crit-known', 'a critical claim', (s) => withHeader(s, { crit: ['exp'] })],
  ['crit-unknown', 'a critical extension that is there', (s) => withHeader(s, { crit: ['x'], x: 1 })],
  ['crit-empty', 'an empty list of critical extensions', (s) => withHeader(s, { crit: [] })],
  ['crit-text', 'a text as list of critical extensions', (s) => withHeader(s, { crit: 'exp' })],
  ['crit-null', 'null as list of critical extensions', (s) => withHeader(s, { crit: null })],
  ['b64-false', 'an unencoded payload', (s) => withHeader(s, { b64: false, crit: ['b64'] })],
  ['b64-true', 'b64, though true', (s) => withHeader(s, { b64: true })],
  ['zip', 'a compressed payload', (s) => withHeader(s, { zip: 'DEF' })],
  ['enc', 'encryption', (s) => withHeader(s, { enc: 'A256GCM' })],
  ['jku', 'an address for its keys', (s) => withHeader(s, { jku: 'https://evil.test/jwks' })],
  ['x5u', 'an address for its certificate', (s) => withHeader(s, { x5u: 'https://evil.test/x' })],
  ['x5c', 'a certificate', (s) => withHeader(s, { x5c: ['MII'] })],
  ['jwk', 'a key of its own', (s) => withHeader(s, { jwk: stranger.publicJwk }), ['proof']],
  ['kid-number', 'a number as kid', (s) => withHeader(s, { kid: 1 })],
  ['kid-null', 'null as kid', (s) => withHeader(s, { kid: null })],
  ['kid-list', 'a list as kid', (s) => withHeader(s, { kid: [s.header['kid'] ?? 'k'] })],
  ['kid-object', 'an object as kid', (s) => withHeader(s, { kid: { toString: 'k' } })],
  ['kid-empty', 'an empty kid', (s) => withHeader(s, { kid: '' })],
  ['kid-long', 'a kid of 129 characters', (s) => withHeader(s, { kid: 'x'.repeat(129) })],
]

const algorithms: readonly Row[] = [
  ['swapped', 'header and payload swapped', (s) => [parts(s)[1], parts(s)[0], parts(s)[2]].join('.')],
  ...[
    'none',
    'None',
    'nOnE',
    '',
    ' ES256',
    'ES256 ',
    'ES256\0',
    'es256',
    'Es256',
    'ES256K',
    'ECDSA',
    'HS256',
    'HS512',
  ].map((alg): Row => [`alg-${JSON.stringify(alg)}`, `alg ${JSON.stringify(alg)}`, (s) => withHeader(s, { alg })]),
  ['alg-absent', 'no alg', (s) => withHeader(s, { alg: undefined })],
  ['alg-null', 'null as alg', (s) => withHeader(s, { alg: null })],
  ['alg-list', 'a list as alg', (s) => withHeader(s, { alg: ['ES256'] })],
  ['alg-object', 'an object as alg', (s) => withHeader(s, { alg: { toString: 'ES256' } })],
  ['alg-number', 'a number as alg', (s) => withHeader(s, { alg: 256 })],
  ['hmac-jwk', 'a MAC by the public key as JWK', (s) => maced(s, json(s.key.publicJwk))],
  [
    'hmac-pem',
    'a MAC by the public key as PEM',
    (s) => maced(s, createPublicKey(s.key.privateKey).export({ type: 'spki', format: 'pem' }).toString()),
  ],
]

function maced({ header, payload }: JwsSeed, secret: string): string {
  const input = `${jwsPart({ ...header, alg: 'HS256' })}.${jwsPart(payload)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

/** Kinds of assertion whose `typ` may be left out. */
const ASSERTIONS = ['private_key_jwt', 'oidc', 'jwt-svid']
const typed = (s: JwsSeed): string => s.header['typ'] as string

const types: readonly Row[] = [
  ['typ-upper', 'typ in capitals', (s) => withHeader(s, { typ: typed(s).toUpperCase().replace(/^JWT$/, 'jwt') })],
  ['typ-parameter', 'typ with a parameter', (s) => withHeader(s, { typ: `${typed(s)}; v=1` })],
  ['typ-space', 'typ with a space', (s) => withHeader(s, { typ: ` ${typed(s)}` })],
  [
    'typ-media',
    'typ as full media type',
    (s) => withHeader(s, { typ: `application/${typed(s)}` }),
    ['grant', 'task token'],
  ],
  ['typ-other', 'the typ of something else', (s) => withHeader(s, { typ: 'secevent+jwt' })],
  ['typ-empty', 'an empty typ', (s) => withHeader(s, { typ: '' })],
  ['typ-null', 'null as typ', (s) => withHeader(s, { typ: null })],
  ['typ-list', 'a list as typ', (s) => withHeader(s, { typ: [typed(s)] })],
  ['typ-absent', 'no typ', (s) => withHeader(s, { typ: undefined }), ASSERTIONS],
]

const ORDER = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')

const signatures: readonly Row[] = [
  ['other-key', 'a signature by another key', (s) => honest({ ...s, key: stranger })],
  ['other-payload', 'the signature of another payload', (s) => moved(s, 1)],
  ['other-header', 'the signature of another header', (s) => moved(s, 0)],
  ['zero', 'r = s = 0', (s) => withSignature(s, () => Buffer.alloc(64))],
  ['zero-r', 'r = 0', (s) => withSignature(s, (good) => Buffer.concat([Buffer.alloc(32), good.subarray(32)]))],
  ['order-s', 's = n', (s) => withSignature(s, (good) => Buffer.concat([good.subarray(0, 32), ORDER]))],
  ['order', 'r = s = n', (s) => withSignature(s, () => Buffer.concat([ORDER, ORDER]))],
  [
    'der',
    'a DER signature',
    (s) => withSignature(s, (_good, input) => sign('sha256', Buffer.from(input), s.key.privateKey)),
  ],
  ['short', 'one octet less', (s) => withSignature(s, (good) => good.subarray(0, -1))],
  ['long', 'one octet more', (s) => withSignature(s, (good) => Buffer.concat([good, Buffer.alloc(1)]))],
  [
    'flipped',
    'one bit of the signature',
    (s) => withSignature(s, (good) => Buffer.from(good.with(40, (good[40] ?? 0) ^ 4))),
  ],
]

function moved(seed: JwsSeed, part: 0 | 1): string {
  const other = part === 0 ? withHeader(seed, { x: 1 }) : withPayloadText(seed, first('"x":1'))
  return parts(seed)
    .with(part, other.split('.')[part] ?? '')
    .join('.')
}

const rowsFor = (reason: JwsGame['reason'], rows: readonly Row[]): JwsGame[] =>
  rows.map(([id, title, play, fairFor]) => ({ id, title, reason, play, ...(fairFor === undefined ? {} : { fairFor }) }))

/** All of them, each with the reason a token is refused for; a proof is `proof-malformed` or `proof-signature`. */
export const jwsGames: readonly JwsGame[] = [
  ...rowsFor('token-malformed', [...text, ...documents, ...members]),
  ...rowsFor('token-algorithm', algorithms),
  ...rowsFor('token-type', types),
  ...rowsFor('token-signature', signatures),
]
