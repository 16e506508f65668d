import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Jwk, JwkSet } from '@hallpass/core'
import { MAX_SKEW_SECONDS, MAX_TTL_SECONDS } from '@hallpass/core'
import { Failure } from '../command/failure.ts'
import type { KeyPair } from './key-file.ts'
import { newKeyPair, writePrivately } from './key-file.ts'

/** How long a key that signs no more stays published: as long as a token of it may live on any clock. */
export const OVERLAP_SECONDS = MAX_TTL_SECONDS + MAX_SKEW_SECONDS

export type NamedJwk = Jwk & { readonly kid: string }

interface RetiredKey {
  readonly publicJwk: NamedJwk
  /** NumericDate seconds until which it is published. */
  readonly until: number
}

/** `ring.json` of a key directory: which key does what. Private halves are beside it, one file for each. */
export interface KeyRing {
  readonly current: NamedJwk
  /** Published ahead, so that every verifier has it when it starts to sign. */
  readonly next: NamedJwk
  /** Kept for good: old checkpoints of a trail are checked with them. */
  readonly retired: readonly RetiredKey[]
}

const ringFile = (directory: string): string => join(directory, 'ring.json')
/** Where the private half of a key is. */
export const privateFile = (directory: string, kid: string): string => join(directory, `${kid}.private.jwk.json`)
const named = ({ kid, publicJwk }: KeyPair): NamedJwk => ({ ...publicJwk, kid })

function addKey(directory: string): NamedJwk {
  const pair = newKeyPair()
  writePrivately(privateFile(directory, pair.kid), `${JSON.stringify(pair.privateJwk, null, 2)}\n`, { isNew: true })
  return named(pair)
}

function writeRing(directory: string, ring: KeyRing, isNew: boolean): void {
  writePrivately(ringFile(directory), `${JSON.stringify(ring, null, 2)}\n`, { isNew })
}

/** Makes a key directory with a key that signs and the one that comes after it. Refuses a directory that has keys. */
export function createKeyRing(directory: string): KeyRing {
  if (existsSync(ringFile(directory))) {
    throw new Failure(
      `${directory} has signing keys. Replace the one that signs with: hallpass keys rotate --dir ${directory}`,
    )
  }
  const ring: KeyRing = { current: addKey(directory), next: addKey(directory), retired: [] }
  writeRing(directory, ring, true)
  return ring
}

const isNamed = (value: unknown): value is NamedJwk =>
  typeof value === 'object' && value !== null && typeof (value as Partial<Jwk>).kid === 'string'

/** Reads a key directory; throws a `Failure` that says what to do. */
export function readKeyRing(directory: string): KeyRing {
  let ring: Partial<KeyRing> | null
  try {
    ring = JSON.parse(readFileSync(ringFile(directory), 'utf8')) as Partial<KeyRing>
  } catch {
    throw new Failure(`${directory} is no key directory. Make one with: hallpass keys generate --dir ${directory}`)
  }
  const retired = Array.isArray(ring?.retired) ? (ring.retired as readonly Partial<RetiredKey>[]) : undefined
  const isWhole =
    isNamed(ring?.current) &&
    isNamed(ring.next) &&
    retired?.every((key) => isNamed(key.publicJwk) && Number.isFinite(key.until)) === true
  if (!isWhole) throw new Failure(`${ringFile(directory)} is not as hallpass wrote it; restore it from a copy`)
  return ring as KeyRing
}

/**
 * The next key starts to sign, a new one is published, and the old one's private half is deleted. In this order on disk,
 * so that a crash in between leaves a ring whose keys are all there.
 */
export function rotateKeyRing(directory: string, now: number): KeyRing {
  const ring = readKeyRing(directory)
  const rotated: KeyRing = {
    current: ring.next,
    next: addKey(directory),
    retired: [...ring.retired, { publicJwk: ring.current, until: Math.ceil(now) + OVERLAP_SECONDS }],
  }
  writeRing(directory, rotated, false)
  rmSync(privateFile(directory, ring.current.kid), { force: true })
  return rotated
}

/** Every public key a trail of this directory may be signed with. */
export const trailKeysOf = ({ current, next, retired }: KeyRing): JwkSet => ({
  keys: [current, next, ...retired.map(({ publicJwk }) => publicJwk)],
})
