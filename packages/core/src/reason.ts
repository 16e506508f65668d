/**
 * Every reason a request can be refused for, one word for it in code, trail, wire and docs.
 * The wire shows a coarser `type`; the trail keeps the reason.
 */
export type RefusalReason =
  // credential and token
  | 'credential-missing'
  | 'credential-malformed' // two credentials, wrong scheme, token in query, bad syntax
  | 'token-malformed' // strict preflight failed
  | 'token-algorithm'
  | 'token-type'
  | 'token-key-unknown'
  | 'token-signature'
  | 'token-claims' // missing or ill-typed claim
  | 'issuer-unknown'
  | 'audience-mismatch'
  | 'not-yet-valid'
  | 'token-expired'
  | 'lifetime-exceeded'
  // binding and proof
  | 'binding-failed'
  | 'proof-missing'
  | 'proof-malformed'
  | 'proof-key'
  | 'proof-signature'
  | 'proof-method'
  | 'proof-url'
  | 'proof-time'
  | 'proof-token' // ath
  | 'proof-body' // content_digest
  | 'proof-query'
  | 'proof-nonce'
  | 'proof-replayed'
  // what was asked against what was granted
  | 'request-malformed' // target, header or body a strict reader refuses
  | 'body-too-large'
  | 'body-timeout' // the body did not arrive in time
  | 'body-unsupported' // content type or encoding
  | 'action-mismatch'
  | 'resource-mismatch'
  | 'parameters-mismatch' // digest
  | 'parameters-invalid' // schema, closed world, collision
  | 'constraint-failed'
  | 'constraint-unknown'
  // state
  | 'grant-unknown'
  | 'grant-revoked'
  | 'grant-exhausted'
  | 'task-unknown'
  | 'task-ended'
  | 'task-expired'
  | 'agent-unknown'
  | 'agent-incomplete'
  | 'agent-revoked'
  | 'limit-exceeded' // calls or totals of task or agent
  | 'amount-invalid'
  | 'incarnation-mismatch'
  | 'idempotency-conflict'
  | 'idempotency-running'
  | 'idempotency-unknown'
  | 'idempotency-done' // done before, and the recorded outcome is too large to repeat
  | 'too-many-open-tasks'
  | 'too-many-keys' // one assertion bound more keys than allowed
  | 'stopped' // the kill switch is on
  // broker
  | 'request-invalid'
  | 'grant-type-unsupported'
  | 'identity-invalid'
  | 'identity-reused'
  | 'caller-not-allowed'
  | 'target-unknown'
  | 'details-invalid'
  | 'purpose-unknown'
  | 'ceiling-exceeded'
  | 'subject-token-invalid'
  | 'policy-denied'
  | 'no-rule-matched'
  | 'approval-required'
  | 'policy-failed' // predicate threw, fact timed out, unknown decision
  // cannot verify
  | 'keys-unavailable'
  | 'status-stale'
  | 'ledger-unavailable'
  | 'ledger-full'
  | 'audit-unavailable'
  | 'rate-limited' // asked more often than its share
  | 'overloaded' // as many requests under way as there is room for
  | 'internal'
