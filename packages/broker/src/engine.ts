import type { Action, AuditSink, Ledger, ProofKeyCache, Telemetry } from '@hallpass/core'
import type { AgentRegistration, Policy } from '@hallpass/policy'
import type { Merger } from './audit/merger.ts'
import type { Recorder } from './audit/recorder.ts'
import type { Traffic } from './audit/traffic.ts'
import type { AssertionVerifier } from './identity/assertion.ts'
import type { Pace } from './http/pace.ts'
import type { Room } from './http/room.ts'
import type { Registrant } from './identity/registrant.ts'
import type { Nonces } from './identity/nonce.ts'
import type { UserIssuers } from './identity/user-token.ts'
import type { OpenUses } from './ledger/open-uses.ts'
import type { Posture } from './policy/posture.ts'
import type { Feed } from './revocation/feed/feed.ts'
import type { Polls } from './revocation/ssf/polls.ts'
import type { RevocationTail } from './revocation/revocation-tail.ts'
import type { StatusListIssuer } from './revocation/status-lists.ts'
import type { StatusPlaces } from './revocation/status-places.ts'
import type { Triggers } from './trigger/triggers.ts'
import type { Names } from './telemetry/names.ts'
import type { OwnTokens } from './token/own-tokens.ts'
import type { SigningKeys } from './token/signing-keys.ts'

/** Everything a broker is made of, resolved once and passed down. */
export interface Engine {
  readonly issuer: string
  readonly policy: Policy
  /** Every throw of it is `ledger-unavailable`. */
  readonly ledger: Ledger
  readonly keys: SigningKeys
  readonly tokens: OwnTokens
  readonly recorder: Recorder
  /** The trail, watched by the triggers. */
  readonly audit: AuditSink
  readonly traffic: Traffic
  /** Takes events of verifiers into the trail, each once. */
  readonly events: Merger
  readonly openUses: OpenUses
  readonly statusPlaces: StatusPlaces
  readonly statusLists: StatusListIssuer
  /** Follows what is killed in the ledger, by whichever broker. */
  readonly tail: RevocationTail
  readonly feed: Feed
  /** What receivers that poll have not acknowledged yet. */
  readonly polls: Polls
  readonly assertions: AssertionVerifier
  /** Everybody registered, by id. */
  readonly callers: ReadonlyMap<string, Registrant>
  readonly users: UserIssuers
  readonly nonces?: Nonces
  readonly posture?: Posture
  readonly triggers: Triggers
  /** What each signaler may tell of, by its id. */
  readonly signals: ReadonlyMap<string, readonly string[]>
  readonly proofKeys: ProofKeyCache
  readonly pace: Pace
  readonly room: Room
  /** True from the moment on at which this broker is to end: others should be asked. */
  isDraining: boolean
  /** Names a value, by its plain digest, in the trail without telling it. */
  readonly digest: (digest: string) => string
  readonly environment?: string
  /** Actions of every API, by name. */
  readonly actions: ReadonlyMap<string, Action>
  /** Audiences whose verifiers count in a store of their own. */
  readonly ownLedgers: ReadonlySet<string>
  readonly taskTokenSeconds: number
  /** Where traces and metrics go, and what may be named there; what it throws is dropped. */
  readonly telemetry: { readonly telemetry: Telemetry; readonly names: Names } | undefined
  /** NumericDate seconds, never decreasing. */
  readonly clock: () => number
}

/** An agent as far as the policy accounts for it: with an owner, somebody who approves, and something that revokes. */
export function completeAgent(policy: Policy, id: string): AgentRegistration | undefined {
  const agent = policy.agent(id)
  if (agent === undefined || !agent.owner || agent.approvers.length === 0 || agent.revokeOn.length === 0)
    return undefined
  return agent
}
