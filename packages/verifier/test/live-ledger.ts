import type { GrantClaims, Ledger } from '@hallpass/core'
import { CLAIM, memoryLedger } from '@hallpass/core'
import { NOW } from './test-issuer.ts'

/** A memory ledger at a clock tests can move, and the registration that a broker does before a token leaves it. */
export function createLiveLedger() {
  let now = NOW
  const clock = () => now
  const ledger: Ledger = memoryLedger({ exactFor: 'one-process', clock })
  return {
    ledger,
    clock,
    advance: (seconds: number) => {
      now += seconds
    },
    async register(token: string): Promise<void> {
      const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as GrantClaims
      const { txn, client_id: clientId, authorization_details: details, status } = claims
      const { owner } = claims[CLAIM.path]
      const policy = claims[CLAIM.policy]
      const { incarnation } = ledger
      if ((await ledger.task(txn)) === undefined) {
        const identity = { iss: 'https://idp.example', sub: clientId }
        const times = { openedAt: NOW, deadline: NOW + 3600 }
        const opened = await ledger.openTask(
          { txn, clientId, owner, purpose: 'support-ticket', jkt: 'key', identity, ...times, policy, incarnation },
          { maxOpenTasks: 10 },
        )
        if (!opened.ok) throw new Error(opened.reason)
      }
      const [entry] = details
      const registered = await ledger.registerGrant({
        issuer: claims.iss,
        jti: claims.jti,
        txn,
        clientId,
        owner,
        audience: claims.aud,
        action: entry.actions[0],
        resource: entry.identifier,
        iat: claims.iat,
        exp: claims.exp,
        ...(claims.cnf === undefined ? {} : { jkt: claims.cnf.jkt }),
        limits: entry.limits,
        policy,
        status: { uri: status.status_list.uri, idx: status.status_list.idx },
        incarnation,
      })
      if (!registered.ok) throw new Error(`${registered.reason} ${registered.detail}`)
    },
  }
}
