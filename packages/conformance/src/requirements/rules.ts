import type { Requirement } from './requirement.ts'

/** The rules that hold the Nevers up. */
export const rules: readonly Requirement[] = [
  {
    id: 'order.one-credential',
    source: 'verifier order',
    behavior: 'Two credentials, or one in query or form, are refused before anything is read.',
  },
  {
    id: 'order.preflight',
    source: 'verifier order',
    behavior: 'A token that is not a canonical compact JWS without duplicate members is refused.',
  },
  {
    id: 'order.algorithm',
    source: 'verifier order',
    behavior: 'alg none, HMAC and algorithms not configured are refused.',
  },
  {
    id: 'order.signature',
    source: 'verifier order',
    behavior: 'A token signed by any key but the configured issuer’s is refused, even under a known jti.',
  },
  {
    id: 'order.redeem-last',
    source: 'verifier order',
    behavior: 'A request refused by any pure check spends nothing.',
  },
  {
    id: 'redeem.first',
    source: 'rule 1',
    behavior: 'Of parallel requests with one idempotency key only one reaches the handler.',
  },
  {
    id: 'redeem.outcome',
    source: 'rule 1',
    behavior: 'A retry with the same key gets the recorded outcome and spends nothing.',
  },
  { id: 'redeem.conflict', source: 'rule 1', behavior: 'The same key with another request is refused.' },
  {
    id: 'redeem.exhausted-once',
    source: 'rule 1',
    behavior: 'The client never asks again by itself for a grant that is used up.',
  },
  {
    id: 'use.give-back',
    source: 'rule 2',
    behavior: 'Only giveBack by the handler returns a use, once, and not after it was settled.',
  },
  { id: 'use.failed-handler', source: 'rule 2', behavior: 'A handler that throws or answers 5xx has used its use.' },
  { id: 'ledger.caller', source: 'rule 3', behavior: 'An API redeems only grants for its own audience at the broker.' },
  {
    id: 'ledger.own',
    source: 'rule 3',
    behavior: 'Limits that span ledgers are split at issue for an API with a ledger of its own.',
  },
  {
    id: 'register.first',
    source: 'rule 4',
    behavior: 'A grant the ledger does not know is refused however well it is signed.',
  },
  { id: 'register.revoked', source: 'rule 4', behavior: 'A revocation that comes first stops the issue.' },
  { id: 'register.intent', source: 'rule 4', behavior: 'A wide revocation resumes after a crash.', later: true },
  { id: 'incarnation.boot', source: 'rule 5', behavior: 'A memory ledger refuses tasks and grants older than itself.' },
  {
    id: 'incarnation.store',
    source: 'rule 5',
    behavior: 'A restored store refuses tasks of its former life.',
    later: true,
  },
  {
    id: 'clock.ledger',
    source: 'rule 6',
    behavior: 'Expiry and deadline are decided on the ledger’s clock, which never goes back.',
  },
  { id: 'clock.replay', source: 'rule 6', behavior: 'A proof is accepted once, and its mark outlives its acceptance.' },
  {
    id: 'cache.whole-token',
    source: 'rule 7',
    behavior: 'A token that differs from a cached one in any byte is verified anew.',
  },
  {
    id: 'cache.never-state',
    source: 'rule 7',
    behavior: 'A cached token is still checked for expiry, revocation, uses and replay.',
  },
  { id: 'seen.body', source: 'rule 8', behavior: 'The handler gets the very object that was checked.' },
  {
    id: 'seen.duplicate',
    source: 'rule 8',
    behavior: 'A body with a duplicate member, an encoding or another type is refused.',
  },
  {
    id: 'seen.collision',
    source: 'rule 8',
    behavior: 'A parameter in both query and body, or one the catalog does not map, is refused.',
  },
  {
    id: 'seen.query',
    source: 'rule 8',
    behavior: 'A query counts only if the proof binds it or the grant fixes parameters by digest.',
  },
  {
    id: 'seen.htu',
    source: 'rule 8',
    behavior: 'Absolute-form, //host and Host never change the URL that is checked.',
  },
  { id: 'seen.resource', source: 'rule 8', behavior: 'An empty or ambiguous resource value is refused.' },
  {
    id: 'total.decimal',
    source: 'rule 9',
    behavior: 'Negative, missing, non-decimal and overflowing amounts are refused.',
  },
  { id: 'total.agent', source: 'rule 9', behavior: 'Opening another task resets no limit of the agent.' },
  {
    id: 'total.open-tasks',
    source: 'rule 9',
    behavior: 'An agent cannot hold more open tasks than its registration says.',
  },
  {
    id: 'record.before',
    source: 'rule 10',
    behavior: 'The use is on record before the handler runs, the outcome after it.',
  },
  { id: 'record.spool', source: 'rule 10', behavior: 'Revoking and ending act even when the trail is down.' },
  {
    id: 'record.aggregate',
    source: 'rule 10',
    behavior: 'Refusals of unauthenticated traffic are aggregated, and every answer names an event.',
  },
  {
    id: 'evidence.checkpoint',
    source: 'rule 11',
    behavior: 'Truncation is found as far as a checkpoint held elsewhere.',
  },
  {
    id: 'evidence.source',
    source: 'rule 11',
    behavior: 'What an API signed of its events cannot be changed by whoever keeps the trail and all of its keys.',
  },
  { id: 'evidence.keyed', source: 'rule 11', behavior: 'Parameter digests in the trail are keyed.' },
  {
    id: 'decide.deny-first',
    source: 'rule 12',
    behavior: 'Deny goes over approve over permit, in any order of rules.',
  },
  { id: 'decide.strictest', source: 'rule 12', behavior: 'Several permits give the strictest limits.' },
  { id: 'decide.literal', source: 'rule 12', behavior: 'Only literal true matches.' },
  { id: 'decide.note', source: 'rule 12', behavior: 'No rule sees the note.' },
  {
    id: 'stale.bound',
    source: 'rule 13',
    behavior: 'A verifier with its own store refuses once its status list is older than its bound.',
  },
  { id: 'stale.rollback', source: 'rule 13', behavior: 'An older status list never replaces a newer one.' },
  {
    id: 'stale.feed',
    source: 'rule 13',
    behavior: 'A feed verifier hears of a revocation by itself, and refuses beyond its bound.',
  },
  { id: 'child.end', source: 'rule 14', behavior: 'A child ends by closing first.', later: true },
  { id: 'approval.poll', source: 'rule 15', behavior: 'Polls are idempotent and bound to the key.', later: true },
  { id: 'store.postgres-redis', source: 'rule 16', behavior: 'Postgres and Redis keep every rule above.', later: true },
  {
    id: 'roll-out.or-else',
    source: 'exception',
    behavior: 'orElse serves only a request with no Hallpass credential; a bad one never falls through.',
  },
  {
    id: 'roll-out.observe',
    source: 'exception',
    behavior: 'observeOnlyUntil changes no answer before its date and enforces from it on.',
  },
]
