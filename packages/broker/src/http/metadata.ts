import { DETAIL_TYPE, GRANT_TYPE, PROFILE_VERSION } from '@hallpass/core'

/** Authorization server metadata (RFC 8414): what this broker does, and nothing it does not. */
export function metadata(issuer: string): object {
  return {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    token_endpoint: `${issuer}/token`,
    revocation_endpoint: `${issuer}/revoke`,
    introspection_endpoint: `${issuer}/introspect`,
    revocation_feed_endpoint: `${issuer}/events`,
    status_list_aggregation_endpoint: `${issuer}/status`,
    response_types_supported: [],
    grant_types_supported: [GRANT_TYPE.clientCredentials, GRANT_TYPE.tokenExchange],
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA', 'Ed25519'],
    revocation_endpoint_auth_methods_supported: ['private_key_jwt'],
    introspection_endpoint_auth_methods_supported: ['private_key_jwt'],
    dpop_signing_alg_values_supported: ['ES256'],
    authorization_details_types_supported: [DETAIL_TYPE.task, DETAIL_TYPE.toolCall],
    hallpass_profile: PROFILE_VERSION,
  }
}

/** Where RFC 8414 section 3.1 puts the metadata of an issuer: the well-known segment goes before its path. */
export function metadataPath(issuer: string): string {
  const path = new URL(issuer).pathname.replace(/\/$/, '')
  return `/.well-known/oauth-authorization-server${path}`
}
