// Results, refusals and faults
export { isPromise, ok, refuse } from './result.ts'
export type { MaybePromise, Ok, Refused, Result } from './result.ts'
export type { RefusalReason } from './reason.ts'
export { HallpassError } from './fault.ts'
export type { FaultCode } from './fault.ts'

// JSON, amounts and digests
export type { JsonObject, JsonValue } from './json/value.ts'
export { MAX_JSON_DEPTH, parseStrictJson } from './json/parse-strict-json.ts'
export type { JsonProblem } from './json/scanner.ts'
export { canonicalize } from './json/canonicalize.ts'
export { isObject as isJsonObject } from './json/is-object.ts'
export { Decimal, toUnits } from './decimal/decimal.ts'
export { decimal, decimalSpec } from './decimal/decimal-schema.ts'
export type { DecimalSchema, DecimalSpec } from './decimal/decimal-schema.ts'
export {
  decodeBase64url,
  encodeBase64url,
  hmacSha256Base64url,
  importVerifyKey,
  pooledSignatureCheck,
  randomId,
  sha256,
  sha256Base64,
  sha256Base64url,
  verifySignature,
} from '#crypto'

// Catalog
export type {
  Action,
  ActionInput,
  ActionMap,
  ActionName,
  ActionOf,
  ActionsOf,
  Api,
  ApiSet,
  Method,
  ParametersIn,
  ParametersOut,
  PartsOf,
  ResourceOf,
  ResourceOfTemplate,
  Risk,
  Route,
} from './catalog/api.ts'
export { defineApi } from './catalog/define-api.ts'
export type { DefinedActions, NoParameters } from './catalog/define-api.ts'
export { apisOf, findAction } from './catalog/find-action.ts'
export { matchResource, partsOfResource, resourceFrom } from './catalog/resource.ts'
export { assembleParameters, parseParameters } from './catalog/parameters.ts'
export type { RequestInput } from './catalog/parameters.ts'
export { buildCall } from './catalog/build-call.ts'
export type { BuiltCall } from './catalog/build-call.ts'

// Identity
export type {
  Jwk,
  JwkSet,
  OidcIdentity,
  PrivateKeyJwtIdentity,
  SpiffeIdentity,
  TokenSource,
  VerifiedIdentity,
  WorkloadIdentity,
} from './identity/identity.ts'
export { oidc, privateKeyJwt, spiffe } from './identity/describe-identity.ts'
export { parseSpiffeId } from './identity/spiffe-id.ts'
export type { SpiffeId } from './identity/spiffe-id.ts'

// Grant
export type {
  Ceiling,
  Constraint,
  Constraints,
  Limit,
  TaskEntry,
  ToolCallEntry,
  ToolCallRequest,
} from './grant/entry.ts'
export { parseTaskEntry, parseToolCallEntry, parseToolCallRequest } from './grant/parse-entry.ts'
export { amountsFor, covers, parameterDigest } from './grant/covers.ts'
export type { Ask } from './grant/covers.ts'
export { narrower } from './grant/narrower.ts'

// Token
export * from './token/constants.ts'
export type { Confirmation, GrantClaims, TaskTokenClaims } from './token/claims.ts'
export type { SignatureAlgorithm, SignatureCheck, VerifyKey } from './token/algorithm.ts'
export { jwkThumbprint } from './token/thumbprint.ts'
export { preflight } from './token/preflight.ts'
export type { ReadToken, TokenShape } from './token/preflight.ts'
export { checkGrantClaims, checkTaskTokenClaims } from './token/check-claims.ts'
export type { ClaimsExpectation } from './token/check-claims.ts'

// Proof
export { requestUrl } from './proof/request-url.ts'
export type { RequestUrl } from './proof/request-url.ts'
export { verifyProof } from './proof/verify-proof.ts'
export type { VerifiedProof } from './proof/verify-proof.ts'
export type { ProofExpectation } from './proof/expectation.ts'
export type { ProofKey, ProofKeyCache } from './proof/proof-key.ts'

// Ledger
export type {
  GrantRecord,
  GrantState,
  Ledger,
  Outcome,
  RedeemAnswer,
  RedeemRequest,
  RevocationEffect,
  RevocationTarget,
  Swept,
  TaskEnd,
  TaskRecord,
  TaskState,
  UseLedger,
  UseRecord,
  UseState,
} from './ledger/ledger.ts'
export { SWEEP_CLAIM_SECONDS } from './ledger/ledger.ts'
export type { RevocationEntry, RevocationPage, RevocationRead, StatusSeries } from './ledger/revocation-entry.ts'
export type { StandingTarget } from './ledger/revocation-target.ts'
export { memoryLedger } from './ledger/memory-ledger.ts'
export type { MemoryLedger } from './ledger/memory-ledger.ts'
export type { MemoryLedgerOptions } from './ledger/ledger-options.ts'
// For ledgers on other stores
export { whyNotCounted } from './ledger/check-limits.ts'
export { MAX_KEPT_BODY_CHARS } from './ledger/kept-body.ts'
export { targetName, unknownTarget } from './ledger/target-name.ts'
export { Watchers } from './ledger/watchers.ts'
export { ledgerClock } from './ledger/ledger-clock.ts'
export { reservationIds } from './ledger/reservation-ids.ts'
export { isWellFormed } from './json/well-formed.ts'

// Revocation
export { createStatusLists, statusListsOf } from './revocation/create-status-lists.ts'
export { randomBelow } from './revocation/random-below.ts'
export type { StatusLists, StatusListsOptions, StatusReference } from './revocation/create-status-lists.ts'
export { STATUS, decodeStatusList, statusAt } from './revocation/status-list-encoding.ts'
export type { StatusBits } from './revocation/status-list-encoding.ts'
export { checkFeedClaims, concerning, feedEvents } from './revocation/feed-run.ts'
export type { DeadIndexes, FeedExpectation, FeedRun } from './revocation/feed-run.ts'
export { checkStatusListClaims } from './revocation/check-status-list-claims.ts'
export type { StatusListClaims, StatusListExpectation } from './revocation/check-status-list-claims.ts'

// Audit
export type {
  AuditDelivery,
  AuditEvent,
  AuditSink,
  EventOrigin,
  EventType,
  SourceHead,
  Trail,
  TrailLine,
} from './audit/event.ts'
export { sentLine } from './audit/origin.ts'
export { EventStem, UseEvent } from './audit/use-event.ts'
export type { EventFacts } from './audit/use-event.ts'
export type { SourceBreak, SourceChain, SourceVouched } from './audit/source-chain-report.ts'
export type { EventFilter } from './audit/event-filter.ts'
export { isAftermath } from './audit/aftermath.ts'
export { jsonText, quoted, quotedName } from './audit/json-text.ts'
export { GENESIS, readLine } from './audit/line.ts'
export { memoryTrail } from './audit/memory-trail.ts'
export type { MemoryTrail, MemoryTrailOptions } from './audit/memory-trail.ts'
export { createDigester } from './audit/digester.ts'
export type { Digester } from './audit/digester.ts'
export { redactEvents } from './audit/redact-events.ts'
export type { RedactOptions, RedactableMember } from './audit/redact-events.ts'
export { createEventMerger } from './audit/merge-events.ts'
export type { EventMerger, EventMergerOptions } from './audit/merge-events.ts'
export { parseVerifierEvent } from './audit/parse-event.ts'
export { verifySourceCheckpoint } from './audit/source-checkpoint.ts'
export type { SignedSourceCheckpoint, SourceCheckpoint } from './audit/source-checkpoint.ts'
export { isIntroduction, keyAudience } from './audit/key-introduction.ts'
export type { SourceTrust } from './audit/source-vouches.ts'
export { verifyCheckpoint } from './audit/checkpoint.ts'
export type { Checkpoint, CheckpointProblem, CheckpointSigner } from './audit/checkpoint.ts'
export { createCheckpointer } from './audit/checkpointer.ts'
export type { Checkpointer, CheckpointOptions } from './audit/checkpointer.ts'
export { createChain } from './audit/chain.ts'
export type { Chain, ChainHead } from './audit/chain.ts'
export { verifyTrail } from './audit/verify-trail.ts'
export type { TrailBroken, TrailProblem, TrailVerified, VerifyTrailOptions } from './audit/verify-trail.ts'
export { describeEvent } from './audit/describe-event.ts'
export { REASON_WORDS, isRefusalReason } from './audit/reason-words.ts'
export type { ReasonWords } from './audit/reason-words.ts'
export { renderPath, renderTimeline } from './audit/timeline.ts'
export type { TimelineOptions } from './audit/timeline.ts'
export { tasksOf } from './audit/tasks-of.ts'
export type { TaskStory } from './audit/tasks-of.ts'
export { printable } from './audit/printable.ts'

// Telemetry
export { carefulTelemetry } from './telemetry/careful-telemetry.ts'
export { parseTraceParent } from './telemetry/trace-parent.ts'
export type {
  BrokerOperation,
  CounterName,
  DurationName,
  GaugeName,
  MetricAttributes,
  SpanAttributes,
  SpanName,
  SpanStart,
  Telemetry,
  TelemetrySpan,
} from './telemetry/telemetry.ts'
