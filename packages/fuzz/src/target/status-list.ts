import { inflateSync } from 'node:zlib'
import {
  checkStatusListClaims,
  decodeStatusList,
  importVerifyKey,
  ok,
  preflight,
  refuse,
  statusAt,
  verifySignature,
} from '@hallpass/core'
import type { JsonValue, Result } from '@hallpass/core'
import { createPublicKey } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { jwtVerify } from 'jose'
import { KEYS } from '../keys.ts'
import { buildToken, makeRecipe } from '../mutate/token.ts'
import type { TokenRecipe } from '../mutate/token.ts'
import type { TokenKind } from '../strictness/evidence.ts'
import { joseReads, judgeToken } from './judge-token.ts'
import { ISSUER, NOW, WORDS } from './seed-tokens.ts'
import { defineTarget } from './target.ts'

const URI = 'https://broker.example/status/1'
const MAX_BYTES = 1.5 * 1024 * 1024
const MAX_AGE = 300
const SKEW = 5
const INDEX = 11

const plain = Buffer.from([0xb9, 0xa3, 0x44, 0x00, 0xff, 0x01, 0x02, 0x03])
const zlib = deflateSync(plain)
const text = (...parts: readonly Uint8Array[]) => Buffer.concat(parts).toString('base64url')
const lsts = [
  text(zlib),
  text(deflateSync(plain, { level: 0 })),
  text(deflateSync(plain.subarray(0, 1))),
  text(deflateSync(Buffer.alloc(0))),
  text(deflateSync(Buffer.alloc(3 * 1024 * 1024))),
  text(zlib, zlib),
  text(zlib, zlib.subarray(-4)),
  text(zlib, Buffer.from('junk'), zlib.subarray(-4)),
  text(zlib.subarray(0, -4)),
  text(zlib.subarray(0, -1)),
  text(zlib.subarray(0, -1), Buffer.alloc(1)),
  text(zlib, Buffer.alloc(1)),
  text(zlib.subarray(2, -4)),
  text(Buffer.from([0x1f, 0x8b]), zlib.subarray(2)),
  '',
  'eJzzA',
]
const words = {
  now: NOW,
  names: [...WORDS.names, 'ttl', 'bits', 'lst', 'aggregation_uri'],
  values: [...WORDS.values, ...lsts, URI, `${URI}#x`, 1, 2, 3, 4, 8, 16, 60, 43200],
}
const payload = {
  iss: ISSUER,
  sub: URI,
  iat: NOW - 10,
  exp: NOW + 200,
  ttl: 60,
  status_list: { bits: 1, lst: text(zlib) },
}

/** The list as the draft says, by other means: the whole stream, nothing after it, within its bound. */
function inflated(lst: string): Buffer | undefined {
  const bytes = Buffer.from(lst, 'base64url')
  if (bytes.toString('base64url') !== lst || lst === '') return undefined
  try {
    const { buffer, engine } = inflateSync(bytes, { info: true, maxOutputLength: 1024 * 1024 }) as unknown as {
      buffer: Buffer
      engine: { bytesWritten: number }
    }
    return engine.bytesWritten === bytes.length ? buffer : undefined
  } catch {
    return undefined
  }
}

function statusOf(list: unknown): number | undefined {
  const { bits, lst } = (list ?? {}) as { readonly bits?: unknown; readonly lst?: unknown }
  if (typeof bits !== 'number' || ![1, 2, 4, 8].includes(bits) || typeof lst !== 'string') return undefined
  const bytes = inflated(lst)
  if (bytes === undefined || INDEX >= (bytes.length * 8) / bits) return undefined
  // From the last bit of the last byte on: one number, shifted.
  const number = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
  return Number((number >> BigInt(INDEX * bits)) & ((1n << BigInt(bits)) - 1n))
}

function issuesOf(claims: unknown): string[] {
  const { iat, exp, nbf, ttl, status_list: list, iss } = claims as Readonly<Record<string, unknown>>
  const issues: string[] = []
  for (const [name, date] of Object.entries({ iat, exp, nbf, ttl })) {
    if (date !== undefined && !(typeof date === 'number' && date >= 0)) issues.push(name)
  }
  if (typeof ttl === 'number' && ttl <= 0) issues.push('ttl')
  if (typeof iat !== 'number' || NOW >= iat + MAX_AGE) issues.push('stale')
  if (exp !== undefined && !(typeof exp === 'number' && exp > NOW)) issues.push('stale')
  if (iss !== undefined && iss !== ISSUER) issues.push('iss')
  if (statusOf(list) === undefined) issues.push('lst')
  return issues
}

const kind: TokenKind = {
  name: 'status-list',
  maxBytes: MAX_BYTES,
  typ: ['statuslist+jwt'],
  allowsJwk: false,
  profile: issuesOf,
}

const issuerKey = importVerifyKey(KEYS.issuer.jwk, 'ES256')
const joseKey = createPublicKey({ key: { ...KEYS.issuer.jwk }, format: 'jwk' })

async function ours(token: string): Promise<Result<unknown>> {
  const read = preflight(token, { typ: ['statuslist+jwt'], alg: ['ES256'], maxBytes: MAX_BYTES })
  if (!read.ok) return read
  const key = await issuerKey
  if (!key.ok) return key
  if (!(await verifySignature(key.value, read.value.signingInput, read.value.signature)))
    return refuse('token-signature')
  const expect = {
    uri: URI,
    issuer: ISSUER,
    now: NOW,
    lastIat: undefined,
    maxStalenessSeconds: MAX_AGE,
    skewSeconds: SKEW,
  }
  const claims = checkStatusListClaims(read.value.payload, expect)
  if (!claims.ok) return claims
  const bytes = await decodeStatusList(claims.value.lst)
  if (!bytes.ok) return bytes
  const status = statusAt(bytes.value, claims.value.bits, INDEX)
  return status.ok ? ok({ iat: claims.value.iat, status: status.value }) : status
}

const judge = (token: string) =>
  joseReads(async () => {
    const { payload: claims } = await jwtVerify<{ status_list: JsonValue }>(token, joseKey, {
      algorithms: ['ES256'],
      typ: 'statuslist+jwt',
      subject: URI,
      requiredClaims: ['iat', 'status_list'],
      maxTokenAge: MAX_AGE,
      clockTolerance: SKEW,
      currentDate: new Date(NOW * 1000),
    })
    const status = statusOf(claims.status_list)
    if (status === undefined) throw new Error('list')
    return { iat: claims.iat, status }
  })

export const statusListTarget = defineTarget<TokenRecipe>({
  name: 'status-list',
  about: 'a status list token from preflight to the status, against jose.jwtVerify and zlib',
  make(random) {
    const header = { alg: 'ES256', typ: 'statuslist+jwt', kid: 'k1' }
    const bent = random.oneIn(3)
      ? { ...payload, status_list: { bits: random.pick([1, 2, 4, 8, 3, 0]), lst: random.pick(lsts) } }
      : payload
    return makeRecipe(random, { header, payload: bent, key: 'issuer', words })
  },
  judge(recipe) {
    const token = buildToken(recipe)
    return judgeToken({ token, kind, ours: () => ours(token), judge: () => judge(token) })
  },
})
