import { HallpassError, parseSpiffeId, type JsonObject, type WorkloadIdentity } from '@hallpass/core'
import type { Registrant } from './registrant.ts'

/** Finds who a workload identity belongs to. Selection only: the caller still verifies everything. */
export interface Registry {
  /** Registrants pinned to this subject; more than one only where their pinned claims exclude each other. */
  at(place: string): readonly Registrant[]
}

/** One key per pinned subject; the parts cannot run into each other. */
export const placeOf = {
  oidc: (issuer: string, subject: string) => JSON.stringify(['oidc', issuer, subject]),
  spiffe: (id: string) => JSON.stringify(['spiffe', id]),
  private_key_jwt: (subject: string) => JSON.stringify(['private_key_jwt', subject]),
} as const

function placeOfIdentity(identity: WorkloadIdentity): string {
  if (identity.kind === 'oidc') return placeOf.oidc(identity.issuer, identity.subject)
  return identity.kind === 'spiffe' ? placeOf.spiffe(identity.id) : placeOf.private_key_jwt(identity.subject)
}

/**
 * Builds the registry. Throws `configuration-invalid` when an identity is not pinned to this broker,
 * an id is taken twice, or one assertion could be two registrants.
 */
export function createRegistry(registrants: readonly Registrant[], issuer: string): Registry {
  const byPlace = new Map<string, Registrant[]>()
  const ids = new Set<string>()
  for (const registrant of registrants) {
    if (ids.has(registrant.id)) invalid(`Two registrations share the id ${registrant.id}`)
    ids.add(registrant.id)
    checkIdentity(registrant, issuer)
    const place = placeOfIdentity(registrant.identity)
    const others = byPlace.get(place) ?? []
    const twin = others.find((other) => !areDisjoint(other.identity, registrant.identity))
    if (twin)
      invalid(`${twin.id} and ${registrant.id} claim the same workload identity, so an assertion could be either`)
    byPlace.set(place, [...others, registrant])
  }
  return { at: (place) => byPlace.get(place) ?? [] }
}

/** True when no token can satisfy both: they want different values for one claim. */
function areDisjoint(one: WorkloadIdentity, other: WorkloadIdentity): boolean {
  if (one.kind !== 'oidc' || other.kind !== 'oidc') return false
  const claims = other.claims ?? {}
  return Object.entries(one.claims ?? {}).some(([name, value]) => Object.hasOwn(claims, name) && claims[name] !== value)
}

function checkIdentity({ id, identity }: Registrant, issuer: string): void {
  if (identity.audience !== issuer) {
    invalid(`The identity of ${id} is made for another audience; it must be the broker's issuer identifier`)
  }
  const { keysPerAssertion = 1 } = identity
  if (!Number.isSafeInteger(keysPerAssertion) || keysPerAssertion < 1) {
    invalid(`keysPerAssertion of ${id} must be a whole number of at least 1`)
  }
  switch (identity.kind) {
    case 'oidc':
      if (!identity.issuer || !identity.subject) invalid(`The identity of ${id} needs an issuer and a subject`)
      if (identity.issuer === issuer) invalid(`The identity of ${id} names this broker as its issuer`)
      // An assertion with iss = sub is read as private_key_jwt, so no OIDC identity may look like one.
      if (identity.issuer === identity.subject) invalid(`The identity of ${id} has its issuer as subject`)
      return
    case 'spiffe':
      if (!parseSpiffeId(identity.id).ok) invalid(`The identity of ${id} is not a SPIFFE ID`)
      return
    case 'private_key_jwt':
      if (!identity.subject || identity.jwks.keys.length === 0)
        invalid(`The identity of ${id} needs a subject and a key`)
  }
}

/** The claims an OIDC identity pins, all there and equal. */
export function claimsMatch(identity: WorkloadIdentity, claims: JsonObject): boolean {
  if (identity.kind !== 'oidc') return true
  return Object.entries(identity.claims ?? {}).every(
    ([name, value]) => Object.hasOwn(claims, name) && claims[name] === value,
  )
}

function invalid(message: string): never {
  throw new HallpassError('configuration-invalid', message)
}
