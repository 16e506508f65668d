import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileTrail } from '@hallpass/core/file-trail'
import { createVerifier } from '@hallpass/verifier'
import type { Verifier } from '@hallpass/verifier'
import { RESOURCE } from '../world/agent-call.ts'
import { openLedger, now, register, TASK } from '../world/bench-ledger.ts'
import { createBenchIssuer } from '../world/grant.ts'
import type { BenchIssuer, GrantInput } from '../world/grant.ts'
import { createHolder } from '../world/holder.ts'
import { ordersApi } from '../world/orders-api.ts'
import type { HandedGrant, Listening } from './server-kind.ts'

const GRANTS = 32
const MANY = 1_000_000_000

/** What a server is built from: an issuer, a verifier with everything on, grants that its ledger knows. */
export interface ServerSetup {
  readonly issuer: BenchIssuer
  readonly verifier: Verifier<typeof ordersApi>
  readonly grants: Listening['grants']
}

/** The audit trail is a chained file, as in production; it goes with the process. */
export function setUp(): ServerSetup {
  const folder = mkdtempSync(join(tmpdir(), 'hallpass-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const issuer = createBenchIssuer()
  const ledger = openLedger()
  const grant = (bound: boolean, wish: Partial<GrantInput> = {}): HandedGrant => {
    const holder = bound ? createHolder() : undefined
    const signed = issuer.grant({
      txn: TASK,
      action: 'order.read',
      resource: RESOURCE,
      calls: MANY,
      ...(holder === undefined ? {} : { jkt: holder.key.jkt }),
      ...wish,
    })
    if ((wish.ttl ?? 1) > 0) register(ledger, signed.claims)
    return { token: signed.token, ...(holder === undefined ? {} : { key: holder.key.privateJwk }) }
  }
  const revoked = grant(true)
  now(ledger.revoke({ kind: 'grant', jti: jtiOf(revoked.token) }, 'bench'))
  return {
    issuer,
    verifier: createVerifier({
      api: ordersApi,
      issuer,
      ledger,
      audit: fileTrail({ path: join(folder, 'trail.jsonl') }),
      acceptUnboundGrantsThatAnyHolderCanUse: true,
    }),
    grants: {
      bound: Array.from({ length: GRANTS }, () => grant(true)),
      unbound: Array.from({ length: GRANTS }, () => grant(false)),
      single: grant(true, { calls: 1 }),
      revoked,
      // Some peers give an expired token a few seconds more.
      expired: grant(true, { ttl: -60 }),
    },
  }
}

function jtiOf(token: string): string {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { readonly jti: string }
  return claims.jti
}
