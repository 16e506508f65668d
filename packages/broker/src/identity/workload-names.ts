import { parseSpiffeId, type WorkloadIdentity } from '@hallpass/core'

/** Who an identity says the workload is. */
export const subjectOf = (identity: WorkloadIdentity): string =>
  identity.kind === 'spiffe' ? identity.id : identity.subject

/** Who vouches for it: the OIDC issuer, the SPIFFE trust domain, or the workload itself. */
export function issuerOf(identity: WorkloadIdentity): string {
  if (identity.kind === 'oidc') return identity.issuer
  if (identity.kind === 'private_key_jwt') return identity.subject
  const parsed = parseSpiffeId(identity.id)
  return parsed.ok ? `spiffe://${parsed.value.trustDomain}` : identity.id
}
