import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Jwk } from '@hallpass/core'
import { jwkThumbprint } from '@hallpass/core'
import { Failure } from '../command/failure.ts'

/** An ES256 key pair as JWKs; `kid` is the RFC 7638 thumbprint. */
export interface KeyPair {
  readonly kid: string
  readonly privateJwk: Jwk
  readonly publicJwk: Jwk
}

export function newKeyPair(): KeyPair {
  // Through its encoding: exporting a key object that generateKeyPairSync returned can wait for itself for ever on Node 20.
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const { kty, crv, x, y, d } = createPrivateKey(privateKey).export({ format: 'jwk' })
  const bare = { kty: kty ?? 'EC', crv, x, y }
  const kid = jwkThumbprint(bare)
  const publicJwk = { ...bare, kid, alg: 'ES256', use: 'sig' }
  return { kid, privateJwk: { ...publicJwk, d }, publicJwk }
}

/** Writes a file that only its owner can read, whole or not at all. With `isNew`, refuses one that is there. */
export function writePrivately(file: string, text: string, { isNew }: { readonly isNew: boolean }): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const aside = isNew ? file : `${file}.${process.pid}.tmp`
  const fd = openSync(aside, 'wx', 0o600)
  try {
    writeSync(fd, text)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  if (!isNew) renameSync(aside, file)
}

/** Reads a private JWK; refuses one that others on this machine can read. */
export function readPrivateJwk(file: string): Jwk {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    throw new Failure(
      `The key file ${file} cannot be read. Make one with: hallpass keys generate --workload NAME --out ${file}`,
    )
  }
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
    throw new Failure(`Others can read the private key ${file}. Close it with: chmod 600 ${file}`)
  }
  try {
    const jwk = JSON.parse(text) as Partial<Jwk>
    if (jwk.kty === 'EC' && typeof jwk['d'] === 'string') return jwk as Jwk
  } catch {
    // The parser's message may quote the key.
  }
  throw new Failure(`The key file ${file} does not hold one private EC key as JWK`)
}
