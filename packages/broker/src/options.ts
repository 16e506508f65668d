import {
  HallpassError,
  type Api,
  type AuditSink,
  type Ledger,
  type Telemetry,
  type WorkloadIdentity,
} from '@hallpass/core'
import type { Policy } from '@hallpass/policy'
import { isFetchable, type Fetch } from './http/fetch-document.ts'
import type { RateOptions } from './http/pace.ts'
import type { Rate } from './http/token-bucket.ts'
import type { Registrant } from './identity/registrant.ts'
import type { UserIssuer } from './identity/user-token.ts'
import type { PostureSource } from './policy/posture.ts'
import type { PushReceiver } from './revocation/ssf/pusher.ts'
import type { SigningKeys } from './token/signing-keys.ts'

/** An API that talks to this broker over HTTP. */
export interface ApiRegistration {
  /** Default: its audience. */
  readonly id?: string
  /** Its catalog or its audience; one of the policy's APIs. */
  readonly api?: Api
  readonly audience?: string
  readonly identity: WorkloadIdentity
  /**
   * Where its verifiers count: `broker` (default) = here, through `/redeem`; `own` = in a store of their own, so that
   * limits which span ledgers are charged at issue.
   */
  readonly ledger?: 'broker' | 'own'
}

/** A person's tool or a service that may revoke and resume. */
export interface OperatorRegistration {
  readonly id: string
  readonly identity: WorkloadIdentity
}

/** A system that may tell of something it noticed, by names that triggers wait for. */
export interface SignalerRegistration {
  readonly id: string
  readonly identity: WorkloadIdentity
  /** The signals it may send; each is waited for by a trigger of the policy. */
  readonly signals: readonly string[]
}

export interface BrokerOptions {
  /** https URL (http on loopback) without trailing slash, query or fragment; the base of every endpoint. */
  readonly issuer: string
  readonly policy: Policy
  readonly ledger: Ledger
  readonly keys: SigningKeys
  readonly audit: AuditSink
  readonly apis?: readonly ApiRegistration[]
  readonly operators?: readonly OperatorRegistration[]
  readonly signalers?: readonly SignalerRegistration[]
  /** Identity providers whose users agents may act for. */
  readonly users?: readonly UserIssuer[]
  /** Where this broker runs, as the policy's rules name it. */
  readonly environment?: string
  readonly posture?: PostureSource
  /** Asks for a nonce of this broker in every proof (RFC 9449 section 8). Replicas share a secret of at least 32 bytes. */
  readonly nonces?: true | { readonly secret: Uint8Array }
  /** Key of the digests in the trail, at least 32 bytes; made at start unless it is given. */
  readonly digestKey?: Uint8Array
  /** Life of a task token before its identity has to be shown again; at most and by default 900. */
  readonly taskTokenSeconds?: number
  /** Time between two looks for what ran out; default 5. 0 = only when a request comes. */
  readonly sweepSeconds?: number
  /** Others' receivers that revocations are pushed to as security events (RFC 8935). */
  readonly receivers?: readonly PushReceiver[]
  /** The revocation feed: time between two messages at most (0.05 to 60 s, default 1), and streams open at a time (default 2000). */
  readonly feed?: { readonly heartbeatSeconds?: number; readonly maxSubscribers?: number }
  /** How often the token endpoint answers whom. */
  readonly rates?: RateOptions
  /** Requests worked on at a time, 1 or more; default 1000. Beyond it the answer is 503, but for revocations, ends and signals. */
  readonly maxRequestsAtOnce?: number
  /** Traces and metrics: `openTelemetry()` of `@hallpass/core/opentelemetry`. Default none. */
  readonly telemetry?: Telemetry
  /** NumericDate seconds. */
  readonly clock?: () => number
  /** For discovery, key sets and bundles. */
  readonly fetch?: Fetch
}

/** Where an API registration belongs. */
export const audienceOf = ({ api, audience }: ApiRegistration): string => {
  const named = api?.audience ?? audience
  if (named === undefined || (audience !== undefined && audience !== named))
    invalid('An API registration names one audience')
  return named
}

/** Throws `configuration-invalid` for options that cannot work; everything later relies on what is checked here. */
export function checkOptions(options: BrokerOptions): void {
  const { issuer, policy, taskTokenSeconds, environment, nonces, sweepSeconds } = options
  if (!isFetchable(issuer) || /[?#]|\/$/.test(issuer) || new URL(issuer).href.replace(/\/$/, '') !== issuer) {
    invalid(
      'issuer must be an https URL, or http on loopback, in its normal form, without trailing slash, query and fragment',
    )
  }
  const audiences = policy.apis.map(({ audience }) => audience)
  if (audiences.includes(issuer)) invalid('An API has the broker itself as its audience')
  for (const registration of options.apis ?? []) {
    if (!audiences.includes(audienceOf(registration)))
      invalid(`The policy knows no API with the audience ${audienceOf(registration)}`)
    if (registration.ledger !== undefined && !['broker', 'own'].includes(registration.ledger))
      invalid("ledger is 'broker' or 'own'")
  }
  if (new Set((options.apis ?? []).map(audienceOf)).size !== (options.apis ?? []).length)
    invalid('Two API registrations share an audience')
  const awaited = new Set(
    Object.values(policy.agents).flatMap(({ revokeOn }) =>
      revokeOn.flatMap((trigger) => (trigger.on === 'signal' ? [trigger.name] : [])),
    ),
  )
  for (const { id, signals } of options.signalers ?? []) {
    const unheard = signals.find((name) => !awaited.has(name))
    if (unheard !== undefined) invalid(`No trigger of the policy waits for the signal ${unheard} of ${id}`)
  }
  if (environment !== undefined && policy.environments.length > 0 && !policy.environments.includes(environment)) {
    invalid(`The policy knows no environment named ${environment}`)
  }
  if (environment === undefined && policy.environments.length > 0)
    invalid('The policy looks at the environment, so one must be named')
  if (taskTokenSeconds !== undefined && !(taskTokenSeconds >= 30 && taskTokenSeconds <= 900))
    invalid('taskTokenSeconds must be 30 to 900')
  if (sweepSeconds !== undefined && !(sweepSeconds >= 0)) invalid('sweepSeconds must be 0 or more')
  for (const { url, audience, about } of options.receivers ?? []) {
    if (typeof url !== 'string' || !isFetchable(url)) invalid('A receiver has an https URL, or http on loopback')
    if (typeof audience !== 'string' || audience === '') invalid('A receiver has an audience')
    if (about !== undefined && !audiences.includes(about)) invalid(`The policy knows no API with the audience ${about}`)
  }
  const { heartbeatSeconds = 1, maxSubscribers = 1 } = options.feed ?? {}
  if (!(heartbeatSeconds >= 0.05 && heartbeatSeconds <= 60)) invalid('feed.heartbeatSeconds must be 0.05 to 60')
  if (!(Number.isSafeInteger(maxSubscribers) && maxSubscribers >= 0))
    invalid('feed.maxSubscribers must be a whole number')
  checkRates(options)
  if (nonces !== undefined && nonces !== true && nonces.secret.length < 32)
    invalid('nonces.secret must have at least 32 bytes')
}

function checkRates({ rates, maxRequestsAtOnce = 1 }: BrokerOptions): void {
  for (const [name, rate] of Object.entries(rates ?? {})) {
    if (rate === undefined || rate === 'unlimited') continue
    const { perSecond, burst } = Object(rate) as Partial<Rate>
    if (!(Number.isFinite(perSecond) && Number(perSecond) > 0 && Number.isFinite(burst) && Number(burst) >= 1))
      invalid(`rates.${name} is 'unlimited', or has perSecond above 0 and burst of 1 or more`)
  }
  if (!(Number.isSafeInteger(maxRequestsAtOnce) && maxRequestsAtOnce >= 1))
    invalid('maxRequestsAtOnce must be a whole number of 1 or more')
}

/** Everybody who may authenticate here. */
export function registrantsOf({
  policy,
  apis = [],
  operators = [],
  signalers = [],
}: BrokerOptions): readonly Registrant[] {
  return [
    ...Object.values(policy.agents).map((agent): Registrant => ({
      kind: 'agent',
      id: agent.id,
      identity: agent.identity,
      agent,
    })),
    ...apis.map((registration): Registrant => {
      const audience = audienceOf(registration)
      return { kind: 'api', id: registration.id ?? audience, identity: registration.identity, audience }
    }),
    ...operators.map(({ id, identity }): Registrant => ({ kind: 'operator', id, identity })),
    ...signalers.map(({ id, identity }): Registrant => ({ kind: 'signaler', id, identity })),
  ]
}

function invalid(message: string): never {
  throw new HallpassError('configuration-invalid', message)
}
