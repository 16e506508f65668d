import { CLAIM } from '@hallpass/core'
import type { Attempt } from '../flow/attempt.ts'
import type { VerifiedGrant } from './verified-grant.ts'

/** What an attempt that went through every step hands to the handler. A class for the reason that `Attempt` is one. */
class ProvenGrant {
  readonly id: string
  readonly txn: string
  readonly agent: string
  readonly owner: string
  readonly subject: string
  readonly action: string
  readonly resource: string
  readonly resourceParts: Readonly<Record<string, string>>
  readonly parameters: unknown
  readonly usesLeft: number
  readonly event: string
  readonly expiresAt: number
  readonly giveBack: VerifiedGrant['giveBack']

  constructor(attempt: Attempt, giveBack: VerifiedGrant['giveBack']) {
    const { token, redeemed } = attempt
    if (token === undefined || redeemed === undefined) {
      throw new TypeError('An attempt was concluded before its steps were run')
    }
    const { claims } = token
    this.id = claims.jti
    this.txn = claims.txn
    this.agent = claims.client_id
    this.owner = claims[CLAIM.path].owner
    this.subject = claims.sub
    this.action = attempt.planned.name
    this.resource = attempt.resource
    this.resourceParts = attempt.parts
    this.parameters = attempt.parameters
    this.usesLeft = redeemed.usesLeft
    this.event = attempt.event
    this.expiresAt = claims.exp
    this.giveBack = giveBack
  }
}

/** The one place that makes what no other code can: a grant that was proven and spent. */
export function provenGrant(attempt: Attempt, giveBack: VerifiedGrant['giveBack']): VerifiedGrant {
  const grant = new ProvenGrant(attempt, giveBack)
  if (grant.subject !== grant.agent) Object.assign(grant, { onBehalfOf: grant.subject })
  return grant as unknown as VerifiedGrant
}
