import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { HallpassError } from './fault.ts'
import type { Jwk, PrivateKeyJwtIdentity, TokenSource } from './identity/identity.ts'

const ASSERTION_SECONDS = 60
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])
const inProcess = new Map<string, KeyObject>()

/** An identity for development that proves itself: what policy registers, and what the agent runs with. */
export type LocalIdentity = PrivateKeyJwtIdentity & TokenSource

/**
 * A development identity on loopback, without an identity provider: an ES256 key and assertions signed by it (RFC 7523).
 *
 * `audience` is the broker's issuer identifier. With `directory` the key is a file there, mode 0600, so that several
 * processes share it; without, it lives and dies with the process.
 * Throws `not-for-production` where NODE_ENV is production or the audience is not loopback.
 */
export function localDev(
  name: string,
  options: { readonly audience: string; readonly directory?: string },
): LocalIdentity {
  const { audience, directory } = options
  refuseProduction(audience)
  if (!NAME.test(name))
    throw new HallpassError(
      'configuration-invalid',
      'A local identity has a plain name: letters, digits and . _ - only.',
    )
  const key = directory === undefined ? keyInProcess(name) : keyInDirectory(name, directory)
  const identity: LocalIdentity = {
    kind: 'private_key_jwt',
    type: 'jwt-bearer',
    clientId: name,
    audience,
    subject: name,
    jwks: { keys: [publicJwk(key)] },
    assertion: (wanted) => {
      refuseProduction(wanted)
      return Promise.resolve(signAssertion(key, name, wanted))
    },
  }
  return Object.freeze(identity)
}

function refuseProduction(audience: string): void {
  if (process.env['NODE_ENV'] === 'production') {
    throw new HallpassError(
      'not-for-production',
      'localDev() is for development; use spiffe(), oidc() or privateKeyJwt().',
    )
  }
  const url = URL.canParse(audience) ? new URL(audience) : undefined
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:'
  if (url === undefined || !isHttp || !LOOPBACK.has(url.hostname)) {
    throw new HallpassError(
      'not-for-production',
      'localDev() works on loopback only: the audience is an http URL of localhost.',
    )
  }
}

function newKey(): KeyObject {
  // Through its encoding: exporting a key object that generateKeyPairSync returned can wait for itself for ever on Node
  // 20, when garbage collection finds the finished job while the export holds the lock they share.
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  })
  return createPrivateKey({ key: privateKey, type: 'pkcs8', format: 'der' })
}

function keyInProcess(name: string): KeyObject {
  const key = inProcess.get(name) ?? newKey()
  inProcess.set(name, key)
  return key
}

function keyInDirectory(name: string, directory: string): KeyObject {
  const path = join(directory, `${name}.key.pem`)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return readKey(path) ?? createKeyFile(path)
}

function readKey(path: string): KeyObject | undefined {
  try {
    return createPrivateKey(readFileSync(path, 'utf8'))
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ENOENT') return undefined
    throw new HallpassError('key-unavailable', 'A local key file cannot be read. Delete it, and a new one is made.', {
      cause,
    })
  }
}

/** Written aside and linked into place, so that of several processes one wins and none reads half a file. */
function createKeyFile(path: string): KeyObject {
  const key = newKey()
  const aside = `${path}.${randomBytes(6).toString('hex')}`
  const file = openSync(aside, 'wx', 0o600)
  try {
    writeSync(file, key.export({ type: 'pkcs8', format: 'pem' }).toString())
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  try {
    linkSync(aside, path)
    return key
  } catch (cause) {
    const winner = readKey(path)
    if (winner !== undefined) return winner
    throw new HallpassError('key-unavailable', 'A local key file cannot be written.', { cause })
  } finally {
    unlinkSync(aside)
  }
}

function publicJwk(key: KeyObject): Jwk {
  const { x, y } = key.export({ format: 'jwk' })
  return { kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', x, y }
}

const segment = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function signAssertion(key: KeyObject, name: string, audience: string): string {
  const iat = Math.floor(Date.now() / 1000)
  const claims = {
    iss: name,
    sub: name,
    aud: audience,
    iat,
    exp: iat + ASSERTION_SECONDS,
    jti: randomBytes(16).toString('base64url'),
  }
  const input = `${segment({ alg: 'ES256', typ: 'JWT' })}.${segment(claims)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
