import type { TokenSource } from '@hallpass/core'
import { checkClientId, checkSource } from './check-client-id.ts'

/**
 * Identity by a SPIFFE JWT-SVID, as the Workload API hands it out.
 *
 * @param options.svid gets the broker's issuer identifier, which must be the SVID's only audience.
 */
export function spiffeJwt(options: {
  readonly clientId: string
  readonly svid: (audience: string) => Promise<string>
}): TokenSource {
  const { clientId, svid } = options
  checkClientId(clientId)
  checkSource('svid', svid)
  return { type: 'jwt-spiffe', clientId, assertion: async (audience) => svid(audience) }
}
