import type { RefusalReason } from '@hallpass/core'

/** Why a call did not happen: what broker or API said, or what kept the client from asking them. */
export type CallReason =
  | RefusalReason
  | 'broker-unavailable' // not reached, too late, or down
  | 'broker-answer-invalid' // it answered what no broker may
  | 'identity-unavailable' // the workload's own token could not be had
  | 'api-unavailable' // not reached or too late: what happened there is not known
  | 'route-unknown' // no action of the catalog has this method and URL

interface Advice {
  /** Says what happened and what to do next; a model may read it. */
  readonly message: string
  /** The same call may succeed later without anything being changed. */
  readonly retryable: boolean
}

const advice = {
  denied: {
    message:
      'This call is not allowed, and nothing was done. Do not repeat it with the same input. Choose another way, or tell the user that permission is missing.',
    retryable: false,
  },
  approval: {
    message:
      'This call needs the approval of a person, and nothing was done. Do not repeat it. Tell the user that approval is needed.',
    retryable: false,
  },
  input: {
    message:
      'The resource or the parameters of this call are not valid, and nothing was done. Correct them and call again.',
    retryable: false,
  },
  spent: {
    message:
      'A limit on this kind of call is used up, and nothing was done. Do not repeat it. Tell the user that the limit is reached.',
    retryable: false,
  },
  over: {
    message: 'The task of this call is over, and nothing was done. Stop making calls in this task.',
    retryable: false,
  },
  stopped: {
    message: 'This agent was stopped, and nothing was done. Stop making calls and tell the user.',
    retryable: false,
  },
  busy: { message: 'Too much is going on at once, and nothing was done. Try again later.', retryable: true },
  later: {
    message: 'It could not be checked whether this call is allowed, so nothing was done. Try again later.',
    retryable: true,
  },
  expired: {
    message:
      'The permission for this call ran out before it was used, and nothing was done. Ask for a new one and call again.',
    retryable: true,
  },
  unanswered: {
    message:
      'The service gave no answer, so it is not known whether the call was carried out. Check its effect before you make the call again.',
    retryable: true,
  },
  running: {
    message: 'This very call is still being carried out. Wait, then check its effect instead of making it again.',
    retryable: true,
  },
  repeated: {
    message: 'This call was made before. It was not carried out again. Check the effect of the first one.',
    retryable: false,
  },
  setup: {
    message:
      'This tool is not set up correctly, and nothing was done. Repeating the call will not help. Tell the user.',
    retryable: false,
  },
} as const satisfies Record<string, Advice>

const adviceOn: Record<CallReason, keyof typeof advice> = {
  'credential-missing': 'setup',
  'credential-malformed': 'setup',
  'token-malformed': 'setup',
  'token-algorithm': 'setup',
  'token-type': 'setup',
  'token-key-unknown': 'setup',
  'token-signature': 'setup',
  'token-claims': 'setup',
  'issuer-unknown': 'setup',
  'audience-mismatch': 'setup',
  'not-yet-valid': 'later',
  'token-expired': 'expired',
  'lifetime-exceeded': 'setup',
  'binding-failed': 'setup',
  'proof-missing': 'setup',
  'proof-malformed': 'setup',
  'proof-key': 'setup',
  'proof-signature': 'setup',
  'proof-method': 'setup',
  'proof-url': 'setup',
  'proof-time': 'setup',
  'proof-token': 'setup',
  'proof-body': 'setup',
  'proof-query': 'setup',
  'proof-nonce': 'later',
  'proof-replayed': 'setup',
  'request-malformed': 'input',
  'body-too-large': 'input',
  'body-timeout': 'later',
  'body-unsupported': 'setup',
  'action-mismatch': 'denied',
  'resource-mismatch': 'denied',
  'parameters-mismatch': 'denied',
  'parameters-invalid': 'input',
  'constraint-failed': 'denied',
  'constraint-unknown': 'denied',
  'grant-unknown': 'denied',
  'grant-revoked': 'denied',
  'grant-exhausted': 'spent',
  'task-unknown': 'over',
  'task-ended': 'over',
  'task-expired': 'over',
  'agent-unknown': 'setup',
  'agent-incomplete': 'setup',
  'agent-revoked': 'stopped',
  'limit-exceeded': 'spent',
  'amount-invalid': 'input',
  'incarnation-mismatch': 'over',
  'idempotency-conflict': 'repeated',
  'idempotency-running': 'running',
  'idempotency-unknown': 'repeated',
  'idempotency-done': 'repeated',
  'too-many-open-tasks': 'busy',
  'too-many-keys': 'setup',
  stopped: 'stopped',
  'request-invalid': 'setup',
  'grant-type-unsupported': 'setup',
  'identity-invalid': 'setup',
  'identity-reused': 'setup',
  'caller-not-allowed': 'setup',
  'target-unknown': 'setup',
  'details-invalid': 'input',
  'purpose-unknown': 'setup',
  'ceiling-exceeded': 'denied',
  'subject-token-invalid': 'setup',
  'policy-denied': 'denied',
  'no-rule-matched': 'denied',
  'approval-required': 'approval',
  'policy-failed': 'denied',
  'keys-unavailable': 'later',
  'status-stale': 'later',
  'ledger-unavailable': 'later',
  'ledger-full': 'busy',
  'audit-unavailable': 'later',
  'rate-limited': 'busy',
  overloaded: 'busy',
  internal: 'later',
  'broker-unavailable': 'later',
  'broker-answer-invalid': 'setup',
  'identity-unavailable': 'later',
  'api-unavailable': 'unanswered',
  'route-unknown': 'setup',
}

/** Is this a reason that is known here? Whatever else arrives on the wire is not repeated to anybody. */
export const isReason = (value: unknown): value is CallReason =>
  typeof value === 'string' && Object.hasOwn(adviceOn, value)

export const adviceFor = (reason: CallReason): Advice => advice[adviceOn[reason]]
