import { DETAIL_TYPE } from '@hallpass/core'

/** RFC 9728 section 2, as far as it applies here. */
export interface ResourceMetadata {
  readonly resource: string
  readonly resource_name?: string
  readonly authorization_servers: readonly [string]
  readonly bearer_methods_supported: readonly ['header']
  readonly authorization_details_types_supported: readonly string[]
  readonly dpop_signing_alg_values_supported: readonly string[]
  readonly dpop_bound_access_tokens_required: boolean
}

export interface MetadataFacts {
  readonly audience: string
  readonly title: string | undefined
  readonly issuer: string
  readonly proofAlgorithms: readonly string[]
  readonly acceptUnbound: boolean
}

/** What a client may learn about a protected API before it has a grant (RFC 9728). */
export const resourceMetadata = (facts: MetadataFacts): ResourceMetadata => ({
  resource: facts.audience,
  ...(facts.title === undefined ? {} : { resource_name: facts.title }),
  authorization_servers: [facts.issuer],
  bearer_methods_supported: ['header'],
  authorization_details_types_supported: [DETAIL_TYPE.toolCall],
  dpop_signing_alg_values_supported: [...facts.proofAlgorithms],
  dpop_bound_access_tokens_required: !facts.acceptUnbound,
})

/** RFC 9728 section 3.1: the well-known segment goes between host and path of the resource identifier. */
export function metadataPath(audience: string): string {
  const { pathname } = new URL(audience)
  return `/.well-known/oauth-protected-resource${pathname === '/' ? '' : pathname}`
}
