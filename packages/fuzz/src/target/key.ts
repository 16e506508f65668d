import { importVerifyKey, jwkThumbprint, verifySignature } from '@hallpass/core'
import type { Jwk, JsonObject, JsonValue, SignatureAlgorithm } from '@hallpass/core'
import { calculateJwkThumbprint, compactVerify, importJWK } from 'jose'
import type { JWK } from 'jose'
import { KEY_NAMES, KEYS } from '../keys.ts'
import type { KeyName } from '../keys.ts'
import { mutateValue } from '../mutate/json-value.ts'
import { bentSignature, pickGame } from '../mutate/signature.ts'
import type { SignatureGame } from '../mutate/signature.ts'
import { keyIssues } from '../strictness/key-issues.ts'
import { BOTH, defineTarget, difference, NEITHER, stricter } from './target.ts'

interface KeyCase {
  readonly jwk: JsonObject
  readonly alg: SignatureAlgorithm
  readonly signer: KeyName
  readonly game: SignatureGame
}

const zeroAhead = (text: unknown) =>
  Buffer.concat([Buffer.alloc(1), Buffer.from(String(text), 'base64url')]).toString('base64url')
const words = {
  now: 1_800_000_000,
  names: ['kty', 'crv', 'x', 'y', 'n', 'e', 'd', 'p', 'k', 'use', 'key_ops', 'alg', 'ext', 'kid', 'x5c', 'oth'],
  values: [
    'EC',
    'RSA',
    'OKP',
    'oct',
    'P-256',
    'P-384',
    'P-521',
    'secp256k1',
    'Ed25519',
    'X25519',
    'Ed448',
    'sig',
    'enc',
    'jwt-svid',
    ['verify'],
    ['sign'],
    ['verify', 'verify'],
    ['verify', 'sign'],
    ['verify', 'bogus'],
    [],
    'verify',
    'ES256',
    'ES384',
    'RS256',
    'EdDSA',
    true,
    false,
    'AQAB',
    'Aw',
    'AQ',
    'AA',
    'AAEAAQ',
    'AQAAAAE',
    'A'.repeat(43),
    '_'.repeat(42),
    zeroAhead(KEYS.issuer.jwk['x']),
    zeroAhead(KEYS.rs256.jwk['n']),
    String(KEYS.issuer.jwk['x']),
    String(KEYS.stranger.jwk['y']),
    String(KEYS.es384.jwk['x']),
    `${String(KEYS.issuer.jwk['x'])}=`,
    String(KEYS.rs256.jwk['n']).slice(0, 171),
  ] as readonly JsonValue[],
}
const INPUT = 'eyJhbGciOiJ4In0.eyJhIjoxfQ'

/** Thumbprints are of what the key is made of, whether the key is any good or not. */
async function thumbprints(jwk: JsonObject): Promise<boolean> {
  const ours = attempt(() => jwkThumbprint(jwk as Jwk))
  const theirs = await calculateJwkThumbprint(jwk as unknown as JWK).catch(() => undefined)
  return ours === undefined || theirs === undefined || ours === theirs
}

const attempt = (work: () => string): string | undefined => {
  try {
    return work()
  } catch {
    return undefined
  }
}

export const keyTarget = defineTarget<KeyCase>({
  name: 'key',
  about: 'importVerifyKey, verifySignature and jwkThumbprint for nine keys, against jose.importJWK and compactVerify',
  make(random) {
    const name = random.pick(KEY_NAMES)
    const { jwk, privateJwk, alg } = KEYS[name]
    let bent: JsonValue = (random.oneIn(20) ? privateJwk : jwk) as JsonObject
    for (let changes = random.pick([0, 1, 1, 2]); changes > 0; changes -= 1) bent = mutateValue(random, bent, words)
    return {
      jwk: bent as JsonObject,
      alg: random.oneIn(10) ? KEYS[random.pick(KEY_NAMES)].alg : alg,
      signer: random.oneIn(12) ? random.pick(KEY_NAMES) : name,
      game: pickGame(random),
    }
  },
  async judge({ jwk, alg, signer, game }) {
    const input = INPUT.replace('eyJhbGciOiJ4In0', Buffer.from(JSON.stringify({ alg })).toString('base64url'))
    const signature = bentSignature(KEYS[signer], input, game)
    if (!(await thumbprints(jwk))) return difference('key: another thumbprint')
    const key = await importVerifyKey(jwk as Jwk, alg)
    const we = key.ok && (await verifySignature(key.value, input, signature))
    const they = await importJWK(jwk as unknown as JWK, alg)
      .then((imported) => compactVerify(`${input}.${signature.toString('base64url')}`, imported, { algorithms: [alg] }))
      .then(
        () => true,
        () => false,
      )
    if (we) return they ? BOTH : difference('key: laxer than jose')
    if (!they) return NEITHER
    return keyIssues(jwk, alg).length > 0
      ? stricter('proof-key')
      : difference('key: stricter for no reason on the list')
  },
})
