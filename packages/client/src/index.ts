export { createClient } from './client/create-client.ts'
export type { Client, Something } from './client/client.ts'
export type { ClientOptions, LocalBroker } from './client/client-options.ts'
export type { SubjectToken, TaskOptions } from './task/task-options.ts'
export type { EndOutcome, Task, TaskRefused } from './task/task.ts'
export type {
  CallInput,
  CallInputOf,
  CallOptions,
  CallOutcome,
  GrantOutcome,
  GuardedFunction,
  InvokeOutcome,
} from './call/call-outcome.ts'
export { currentGrant } from './call/call-context.ts'
export type { Grant } from './grant/grant.ts'
export type { GrantView } from './grant/held-grant.ts'
export type { CallReason } from './outcome/advice.ts'
export type { Refusal } from './outcome/refusal.ts'
export type { Fetch } from './wire/send.ts'
export { fileToken } from './identity/file-token.ts'
export { oidcToken } from './identity/oidc-token.ts'
export { signedAssertion } from './identity/signed-assertion.ts'
export type { SignedAssertionOptions } from './identity/signed-assertion.ts'
export { spiffeJwt } from './identity/spiffe-jwt.ts'
export { createProofs } from './proof/create-proofs.ts'
export type { ProofMaker, ProofRequest } from './proof/proof-maker.ts'
