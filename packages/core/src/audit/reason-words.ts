import type { RefusalReason } from '../reason.ts'

export interface ReasonWords {
  /** What was wrong, as the end of "Refused: ...". */
  readonly means: string
  /** What the person who reads it can do. */
  readonly fix: string
}

/** Words for every reason a request can be refused for. The trail, the CLI and the documentation all speak from here. */
export const REASON_WORDS: Readonly<Record<RefusalReason, ReasonWords>> = {
  'credential-missing': {
    means: 'the request carried no grant',
    fix: 'Send it through the Hallpass client, or with `Authorization: DPoP` and a `DPoP` proof',
  },
  'credential-malformed': {
    means: 'the credential was sent in a way no strict reader takes: twice, in the query, or with another scheme',
    fix: 'Send exactly one `Authorization` and one `DPoP` header',
  },
  'token-malformed': {
    means: 'the token is not strictly formed JWS',
    fix: 'Send the token byte for byte as the broker issued it',
  },
  'token-algorithm': {
    means: 'the token is signed with an algorithm that is not allowed here',
    fix: 'Only the algorithms of the configured issuer are taken; check which issuer the agent talks to',
  },
  'token-type': {
    means: 'the token is of another type than the one asked for here',
    fix: 'Send a grant to an API and a task token to the broker, not the other way round',
  },
  'token-key-unknown': {
    means: 'the token names a signing key that the issuer does not publish',
    fix: 'If keys were just rotated, keep the old one published until its last token has expired',
  },
  'token-signature': {
    means: 'the signature does not fit the issuer’s key',
    fix: 'The token was altered or forged; look for where it comes from',
  },
  'token-claims': {
    means: 'a claim is missing from the token or is not what it must be',
    fix: 'Check that broker and verifier are of versions that go together',
  },
  'issuer-unknown': {
    means: 'the token comes from an issuer that is not configured here',
    fix: 'Compare the agent’s issuer with the `issuer` given to the verifier',
  },
  'audience-mismatch': {
    means: 'the token was issued for another API',
    fix: 'Ask for a grant whose audience is this API, and compare it with the catalog’s `audience`',
  },
  'not-yet-valid': {
    means: 'the token says it was issued in the future',
    fix: 'Synchronise the clocks of broker and verifier',
  },
  'token-expired': {
    means: 'the token had expired',
    fix: 'Ask for a new grant; raise the rule’s `ttlSeconds` if calls regularly take longer to start',
  },
  'lifetime-exceeded': {
    means: 'the token lives longer than any grant may',
    fix: 'Lower the TTL at the broker that issued it',
  },
  'binding-failed': {
    means: 'the proof was made with another key than the grant is bound to',
    fix: 'A grant works only for the client instance that asked for it; if the agent did not send this, it was stolen',
  },
  'proof-missing': {
    means: 'the request carried no proof of possession',
    fix: 'Send a fresh `DPoP` header with every request',
  },
  'proof-malformed': {
    means: 'the proof is not strictly formed',
    fix: 'Make proofs with the Hallpass client or RFC 9449 section 4.2',
  },
  'proof-key': {
    means: 'the key inside the proof is not a public key of an allowed kind',
    fix: 'Use an ES256 key and put only its public half into the proof',
  },
  'proof-signature': {
    means: 'the proof’s signature does not fit the key inside it',
    fix: 'The proof was altered or badly made',
  },
  'proof-method': { means: 'the proof was made for another HTTP method', fix: 'Make a proof for exactly this request' },
  'proof-url': {
    means: 'the proof was made for another URL',
    fix: 'Set `publicUrl` to the address that clients use; it is not taken from the Host header',
  },
  'proof-time': {
    means: 'the proof is too old, or from the future',
    fix: 'Make proofs just before sending, and synchronise the agent’s clock',
  },
  'proof-token': {
    means: 'the proof was made for another token',
    fix: 'Make the proof with the token it travels with',
  },
  'proof-body': {
    means: 'the body is not the one the proof was made for',
    fix: 'Something between agent and API changed the body, or the proof does not cover it',
  },
  'proof-query': {
    means: 'the query is not the one the proof was made for, or the proof does not cover it',
    fix: 'Use the Hallpass client, or a grant that fixes the parameters',
  },
  'proof-nonce': {
    means: 'the proof lacks the nonce the server asked for',
    fix: 'Repeat the request with the `DPoP-Nonce` of the answer',
  },
  'proof-replayed': {
    means: 'the proof was used before',
    fix: 'Make a new proof for every request; if the agent did not repeat it, someone recorded it',
  },
  'request-malformed': {
    means: 'the request’s target, headers or body are ambiguous, so a strict reader refuses them',
    fix: 'Send one value per parameter, strict JSON and a plain path',
  },
  'body-too-large': {
    means: 'the body is larger than this API takes',
    fix: 'Send less, or raise the limit of the body reader',
  },
  'body-timeout': {
    means: 'the body did not arrive in time',
    fix: 'Send it faster or in smaller parts, or raise `bodyTimeoutMs` of the verifier',
  },
  'body-unsupported': {
    means: 'the body’s type or encoding is not supported',
    fix: 'Send `application/json` without content encoding',
  },
  'action-mismatch': { means: 'the grant is for another action', fix: 'Ask for a grant for this action' },
  'resource-mismatch': { means: 'the grant is for another resource', fix: 'Ask for a grant for this resource' },
  'parameters-mismatch': {
    means: 'the parameters are not the ones that were granted',
    fix: 'Ask with exactly the parameters that will be sent',
  },
  'parameters-invalid': {
    means: 'the parameters do not fit the catalog: unknown, missing, repeated or of the wrong type',
    fix: 'Compare them with the action’s `parameters` in the catalog',
  },
  'constraint-failed': {
    means: 'a parameter is outside what the grant allows',
    fix: 'Ask for a grant that allows this value',
  },
  'constraint-unknown': {
    means: 'the grant holds a constraint that this version does not know',
    fix: 'Update the verifier; what it does not understand it refuses',
  },
  'grant-unknown': {
    means: 'the ledger does not know this grant',
    fix: 'It was never registered, or the ledger is another one or was restarted; ask for a new grant',
  },
  'grant-revoked': { means: 'the grant was revoked', fix: 'Look for the revocation in the trail before asking again' },
  'grant-exhausted': { means: 'the grant has no uses left', fix: 'Ask for a new grant if the policy still allows it' },
  'task-unknown': {
    means: 'the ledger does not know this task',
    fix: 'Open a new task; a memory ledger forgets everything when the broker restarts',
  },
  'task-ended': { means: 'the task had ended', fix: 'Open a new task' },
  'task-expired': {
    means: 'the task’s deadline had passed',
    fix: 'Open a new task, with a later deadline if the policy allows it',
  },
  'agent-unknown': { means: 'the policy does not know this agent', fix: 'Register it under `agents` in the policy' },
  'agent-incomplete': {
    means: 'the agent has no owner, no approvers or no revocation triggers',
    fix: 'Complete its entry under `agents` in the policy',
  },
  'agent-revoked': { means: 'the agent was stopped', fix: 'Find out why in the trail, then let an operator resume it' },
  'limit-exceeded': {
    means: 'a limit on calls or totals would have been passed',
    fix: 'The counter is the task’s or the agent’s: see the policy’s `limits`',
  },
  'amount-invalid': {
    means: 'an amount is missing, negative, too precise or no number',
    fix: 'Send amounts as plain decimal strings such as "42.00"',
  },
  'incarnation-mismatch': {
    means: 'the grant or task comes from an earlier life of the ledger',
    fix: 'Open a new task; this is expected after a restart or a restore',
  },
  'idempotency-conflict': {
    means: 'the idempotency key was used for another request',
    fix: 'Use a new key for every new request',
  },
  'idempotency-running': {
    means: 'the first request with this idempotency key is still running',
    fix: 'Wait for it, then repeat',
  },
  'idempotency-unknown': {
    means: 'the first request with this idempotency key never reported how it ended',
    fix: 'Find out at the API whether it took effect before sending it under a new key',
  },
  'idempotency-done': {
    means: 'the request was done before, and its answer was too large to keep',
    fix: 'It took effect: read the result at the API instead of repeating it',
  },
  'too-many-open-tasks': {
    means: 'the agent has as many open tasks as it may',
    fix: 'Complete tasks when they are done; see `maxOpenTasks`',
  },
  'too-many-keys': {
    means: 'one identity assertion was used with more keys than allowed',
    fix: 'Give each client instance an assertion of its own, or raise `keysPerAssertion`',
  },
  stopped: { means: 'everything is stopped', fix: 'An operator pulled the kill switch; only an operator resumes' },
  'request-invalid': { means: 'the request to the broker is not well formed', fix: 'Compare it with the broker’s API' },
  'grant-type-unsupported': {
    means: 'the broker does not do this grant type',
    fix: 'Use `client_credentials` or token exchange',
  },
  'identity-invalid': {
    means: 'the workload could not prove who it is',
    fix: 'Compare issuer, audience, subject and key with the agent’s `identity` in the policy',
  },
  'identity-reused': { means: 'the identity assertion was used before', fix: 'Make a new assertion for every request' },
  'caller-not-allowed': {
    means: 'the caller is known, but not allowed to do this',
    fix: 'Check which API or operator the caller is registered as',
  },
  'target-unknown': { means: 'the broker knows no API with this audience', fix: 'Add its catalog to the policy' },
  'details-invalid': {
    means: 'the `authorization_details` do not fit the catalog or the profile',
    fix: 'Ask for one action on one resource, as the catalog writes them',
  },
  'purpose-unknown': {
    means: 'the policy does not know this purpose',
    fix: 'Use one of the policy’s `purposes`, or add it',
  },
  'ceiling-exceeded': {
    means: 'the task was opened for less than this',
    fix: 'Open a task whose ceiling includes the action and the resource',
  },
  'subject-token-invalid': {
    means: 'the subject token was not accepted',
    fix: 'Use a task token of this broker with its own key',
  },
  'policy-denied': { means: 'a rule of the policy denies it', fix: 'See the rule that is named' },
  'no-rule-matched': {
    means: 'no rule of the policy allows it',
    fix: 'Nothing is allowed by default: add a rule, or see with `hallpass policy explain` why none matched',
  },
  'approval-required': { means: 'a person has to approve it first', fix: 'Ask one of the approvers that are named' },
  'policy-failed': {
    means: 'the policy could not be evaluated, so it counts as no',
    fix: 'See the rule that failed, with its file and line',
  },
  'keys-unavailable': {
    means: 'the issuer’s keys could not be had',
    fix: 'Check that the verifier reaches the broker’s `/jwks`',
  },
  'status-stale': {
    means: 'news about revocations is older than allowed',
    fix: 'Check that the verifier reaches the broker’s `/events` or `/status`',
  },
  'ledger-unavailable': { means: 'the ledger did not answer', fix: 'Check the store behind the ledger' },
  'ledger-full': {
    means: 'the ledger is full, and nothing is dropped to make room',
    fix: 'Raise its limits, or find out who opens so much',
  },
  'audit-unavailable': {
    means: 'it could not be recorded, and what cannot be recorded is not allowed',
    fix: 'Check the disk and the permissions of the trail’s file',
  },
  'rate-limited': {
    means: 'more was asked in a short time than one caller may ask',
    fix: 'Wait for as long as `Retry-After` says; raise `rates` of the broker if this much is meant to be asked',
  },
  overloaded: {
    means: 'as many requests are under way as there is room for',
    fix: 'Try again after `Retry-After`; find out what is slow, or add a broker',
  },
  internal: {
    means: 'something failed inside Hallpass',
    fix: 'Look up the event id in the log of the process; please report it',
  },
}

/** True for a word that Hallpass uses as a reason for a refusal. */
export const isRefusalReason = (word: string): word is RefusalReason => Object.hasOwn(REASON_WORDS, word)
