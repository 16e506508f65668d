import type { ApiSet, Telemetry, TokenSource } from '@hallpass/core'
import { apisOf, carefulTelemetry, DEFAULT_SKEW_SECONDS, HallpassError, MAX_SKEW_SECONDS } from '@hallpass/core'
import type { Place } from '../call/call-plan.ts'
import { AgentTelemetry } from '../telemetry/agent-telemetry.ts'
import type { Fetch } from '../wire/send.ts'
import { secureUrl } from './secure-url.ts'

/** A broker in the same process, as `createBroker` makes it. */
export interface LocalBroker {
  readonly issuer: string
  readonly fetch: Fetch
}

export interface ClientOptions<S extends ApiSet, Purpose extends string = string> {
  /**
   * Issuer identifier of the broker: https, or http on loopback. Its metadata must name exactly this issuer.
   * Or a broker in the same process, which is then asked without a network.
   */
  readonly issuer: string | LocalBroker
  /** Where the agent's own identity comes from, asked anew for every task and renewal. */
  readonly identity: TokenSource
  /** The catalog of the API or APIs the agent calls. */
  readonly api: S
  /** Where an audience is reached, if that is not the audience itself. */
  readonly baseUrls?: Readonly<Record<string, string>>
  /** Purposes of the policy, so that a misspelt one does not compile. */
  readonly purposes?: readonly Purpose[]
  /** Sends requests; by default the platform's. */
  readonly fetch?: Fetch
  /** NumericDate seconds; for tests. */
  readonly clock?: () => number
  /** Seconds before its expiry from which a grant is not presented any more; 5, at most 30. */
  readonly skewSeconds?: number
  /** How long an answer of the broker, or of the identity source, may take; 5 000 ms. */
  readonly brokerTimeoutMs?: number
  /** How long the API may take to begin its answer; 30 000 ms. */
  readonly apiTimeoutMs?: number
  /** Pauses between attempts to tell the broker that a task is over; 200 and 1 000 ms. */
  readonly retryDelaysMs?: readonly number[]
  /** Traces and metrics: `openTelemetry()` of `@hallpass/core/opentelemetry`. Default none. */
  readonly telemetry?: Telemetry
}

export interface CheckedOptions {
  readonly issuer: string
  readonly identity: TokenSource
  readonly api: ApiSet
  readonly places: readonly Place[]
  readonly fetch: Fetch
  /** Where the broker is asked: in this process, or as everything else. */
  readonly brokerFetch: Fetch
  readonly clock: (() => number) | undefined
  readonly skewSeconds: number
  readonly brokerTimeoutMs: number
  readonly apiTimeoutMs: number
  readonly retryDelaysMs: readonly number[]
  readonly telemetry: AgentTelemetry | undefined
}

/** Checks and copies the options: a client that is created works with what it was given then. */
export function checkOptions(options: ClientOptions<ApiSet>): CheckedOptions {
  const { identity, api, baseUrls = {}, clock } = options
  const local = typeof options.issuer === 'object' ? options.issuer : undefined
  const issuer = local?.issuer ?? options.issuer
  if (typeof issuer !== 'string' || secureUrl(issuer) === undefined) {
    throw invalid('The issuer must be an https URL, or http on loopback, without user, query and fragment')
  }
  if (typeof identity?.assertion !== 'function' || !/^[\x21-\x7E]{1,256}$/.test(identity.clientId)) {
    throw invalid('The identity must be a source with a clientId, such as signedAssertion() or oidcToken()')
  }
  const apis = [...apisOf(api)]
  const audiences = new Set(apis.map(({ audience }) => audience))
  if (apis.length === 0 || audiences.size !== apis.length)
    throw invalid('Give at least one API, and each audience once')
  const stray = Object.keys(baseUrls).find((audience) => !audiences.has(audience))
  if (stray !== undefined) throw invalid(`baseUrls names "${stray}", which is not an audience of the APIs given`)
  const fetch = options.fetch ?? ((request: Request) => globalThis.fetch(request))
  const telemetry = carefulTelemetry(options.telemetry)
  return {
    issuer,
    identity,
    api: apis,
    places: apis.map((api) => ({ api, baseUrl: baseUrlOf(api.audience, baseUrls) })),
    fetch,
    brokerFetch: local === undefined ? fetch : (request) => local.fetch(request),
    clock,
    skewSeconds: bounded('skewSeconds', options.skewSeconds ?? DEFAULT_SKEW_SECONDS, {
      least: 0,
      most: MAX_SKEW_SECONDS,
    }),
    brokerTimeoutMs: bounded('brokerTimeoutMs', options.brokerTimeoutMs ?? 5000, { least: 1, most: 600_000 }),
    apiTimeoutMs: bounded('apiTimeoutMs', options.apiTimeoutMs ?? 30_000, { least: 1, most: 600_000 }),
    retryDelaysMs: [...(options.retryDelaysMs ?? [200, 1000])].map((ms) =>
      bounded('retryDelaysMs', ms, { least: 0, most: 60_000 }),
    ),
    telemetry: telemetry && new AgentTelemetry(telemetry, identity.clientId),
  }
}

function baseUrlOf(audience: string, baseUrls: Readonly<Record<string, string>>): string {
  const url = Object.hasOwn(baseUrls, audience) ? baseUrls[audience] : audience
  const base = url === undefined ? undefined : secureUrl(url)
  if (base === undefined) {
    throw invalid(`The API "${audience}" needs a base URL in baseUrls: https, or http on loopback, without query`)
  }
  return base.href.replace(/\/$/, '')
}

function bounded(name: string, value: number, { least, most }: { least: number; most: number }): number {
  if (Number.isFinite(value) && value >= least && value <= most) return value
  throw invalid(`${name} must be a number from ${least} to ${most}`)
}

const invalid = (message: string) => new HallpassError('configuration-invalid', message)
