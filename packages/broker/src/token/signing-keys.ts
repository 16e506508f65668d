import { HallpassError, MAX_SKEW_SECONDS, MAX_TTL_SECONDS, type Jwk, type JwkSet } from '@hallpass/core'
import { generateSigner, publicMembers, type Signer } from './signer.ts'

/** A key that signs no more, published until the last token it signed is over. */
export interface RetiringKey {
  readonly publicJwk: Jwk & { readonly kid: string }
  /** NumericDate seconds. */
  readonly until: number
}

export interface SigningKeysOptions {
  readonly current: Signer
  /** Published ahead of its use, so that every verifier knows it when it starts to sign. */
  readonly next?: Signer
  readonly retiring?: readonly RetiringKey[]
}

/** The broker's signing keys over time. */
export interface SigningKeys {
  current(): Signer
  /** What `/jwks` publishes at `now` (NumericDate seconds): next, current and what is retiring. */
  jwks(now: number): JwkSet
  /** The published key with this id, or undefined when it is not trusted at `now`. */
  find(kid: string, now: number): Jwk | undefined
  /** `next` starts to sign, `current` retires for as long as a token of it may live. Throws `key-unavailable` without a next. */
  rotate(now: number, following?: Signer): { readonly kid: string; readonly retired: string }
}

/** The longest a token or a verifier's clock may outlive the moment its key stopped signing. */
export const OVERLAP_SECONDS = MAX_TTL_SECONDS + MAX_SKEW_SECONDS

/** Signing keys with their overlap. Throws `configuration-invalid` when two share an id or one is not ES256. */
export function signingKeys(options: SigningKeysOptions): SigningKeys {
  let current = checked(options.current)
  let next = options.next && checked(options.next)
  let retiring = (options.retiring ?? []).map(({ publicJwk, until }) => {
    if (!Number.isFinite(until))
      throw new HallpassError('configuration-invalid', 'A retiring key needs a time at which it is over')
    return { jwk: publicMembers(publicJwk, publicJwk.kid), until }
  })

  const published = (now: number): readonly Jwk[] => {
    if (retiring.some(({ until }) => until <= now)) retiring = retiring.filter(({ until }) => until > now)
    return [current, ...(next ? [next] : [])].map(({ publicJwk }) => publicJwk).concat(retiring.map(({ jwk }) => jwk))
  }
  distinct(published(-Infinity))

  return {
    current: () => current,
    jwks: (now) => ({ keys: published(now) }),
    find: (kid, now) => (kid === current.kid ? current.publicJwk : published(now).find((jwk) => jwk.kid === kid)),
    rotate(now, following) {
      if (next === undefined) {
        throw new HallpassError('key-unavailable', 'There is no next key to rotate to; publish one first')
      }
      const after = following && checked(following)
      distinct([...published(now), ...(after ? [after.publicJwk] : [])])
      const retired = current.kid
      retiring = [...retiring, { jwk: current.publicJwk, until: now + OVERLAP_SECONDS }]
      current = next
      next = after
      return { kid: current.kid, retired }
    },
  }
}

/** Keys made now and kept in this process only: tokens die with it. */
export const generateSigningKeys = (): SigningKeys => signingKeys({ current: generateSigner(), next: generateSigner() })

function checked(signer: Signer): Signer {
  if (signer.alg !== 'ES256') throw new HallpassError('configuration-invalid', 'A signer must sign with ES256')
  if (typeof signer.kid !== 'string' || signer.kid === '' || signer.kid.length > 128) {
    throw new HallpassError('configuration-invalid', 'A signer needs a key id of 1 to 128 characters')
  }
  const publicJwk = publicMembers(signer.publicJwk, signer.kid)
  return { kid: signer.kid, alg: 'ES256', publicJwk, sign: (data) => signer.sign(data) }
}

function distinct(keys: readonly Jwk[]): void {
  if (new Set(keys.map(({ kid }) => kid)).size !== keys.length) {
    throw new HallpassError('configuration-invalid', 'Two signing keys share one key id')
  }
}
