import type { TokenSource } from '@hallpass/core'
import { checkClientId, checkSource } from './check-client-id.ts'

/**
 * Identity by an OIDC workload token: of a cloud, a CI system, or any issuer the policy pins.
 *
 * @param options.token gets the broker's issuer identifier, which must be the token's only audience; called anew for
 *   every task and renewal.
 */
export function oidcToken(options: {
  readonly clientId: string
  readonly token: (audience: string) => Promise<string>
}): TokenSource {
  const { clientId, token } = options
  checkClientId(clientId)
  checkSource('token', token)
  return { type: 'jwt-bearer', clientId, assertion: async (audience) => token(audience) }
}
