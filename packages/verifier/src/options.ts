import type { Api, AuditSink, JwkSet, MaybePromise, SignatureAlgorithm, Telemetry, UseLedger } from '@hallpass/core'
import {
  DEFAULT_SKEW_SECONDS,
  HallpassError,
  MAX_SKEW_SECONDS,
  carefulTelemetry,
  pooledSignatureCheck,
  verifySignature,
} from '@hallpass/core'
import type { Observer } from './audit/observer.ts'
import { safely } from './audit/observer.ts'
import type { Fetch } from './keys/remote-key-source.ts'
import { requireSecureUrl } from './keys/secure-url.ts'
import type { NonceSource } from './proof/nonce-source.ts'
import type { RevocationSource } from './revocation/source.ts'

/** A broker in the same process. */
export interface LocalIssuer {
  readonly issuer: string
  jwks(): MaybePromise<JwkSet>
  /** Answers for the broker's own URLs, status lists among them. */
  fetch?(request: Request): Promise<Response>
}

/** A verifier whose store is its own may learn of revocations from the broker's signed status lists, as it needs them. */
export interface RevocationOptions {
  /** A list older than this, counted from its signed time, refuses: the bound on how late a revocation arrives. */
  readonly maxStalenessSeconds: number
}

export interface VerifierOptions<A extends Api = Api> {
  readonly api: A
  /** The broker's issuer identifier, whose keys are fetched from there and nowhere else; or a broker in this process. */
  readonly issuer: string | LocalIssuer
  /** Where uses are spent: shared with the broker, reached through it, or, with `revocation`, the API's own. */
  readonly ledger: UseLedger
  readonly audit: AuditSink
  /** Scheme, host and path prefix that clients call; never taken from a request. Default: the audience. */
  readonly publicUrl?: string
  /**
   * Present exactly where the ledger is this API's own and does not know what the broker issued: `feed()`, or how old
   * the broker's status lists may be.
   */
  readonly revocation?: RevocationOptions | RevocationSource
  /** Server nonces for proofs. */
  readonly nonces?: NonceSource
  /** Takes grants that are bound to no key, so that whoever copies one can spend it. */
  readonly acceptUnboundGrantsThatAnyHolderCanUse?: true
  /** Default ES256. */
  readonly tokenAlgorithms?: readonly SignatureAlgorithm[]
  /** Default ES256. */
  readonly proofAlgorithms?: readonly SignatureAlgorithm[]
  /**
   * `thread-pool`: where several requests come at once, Node checks their signatures beside the event loop. For one
   * process on two cores or more, with more than about eight requests in flight. Default `at-once`, which costs less
   * processor time per request.
   */
  readonly signatureChecks?: 'at-once' | 'thread-pool'
  /** Longest body read, in bytes; default 1 MiB. */
  readonly bodyLimitBytes?: number
  /** How long a body may take to arrive, from when it is read; default 30 000 ms. */
  readonly bodyTimeoutMs?: number
  /** Leeway for `iat`, at most 30; default 5. `exp` has none. */
  readonly skewSeconds?: number
  /** Tokens and holder keys remembered; default 10 000 each. */
  readonly cacheEntries?: number
  /** How long a ledger may take before the answer is 503; default 5000 ms. */
  readonly ledgerTimeoutMs?: number
  /** Names this process in the trail; default random. */
  readonly instance?: string
  /** Key of the digests of parameters in the trail, at least 32 bytes; default random, good within this process. */
  readonly digestKey?: Uint8Array
  /** How long refusals of unproven traffic are counted before they become one event; default 60 s. */
  readonly refusalWindowSeconds?: number
  readonly observe?: Observer
  /** Traces and metrics: `openTelemetry()` of `@hallpass/core/opentelemetry`. Default none. */
  readonly telemetry?: Telemetry
  readonly fetch?: Fetch
  /** NumericDate seconds, with fractions. */
  readonly clock?: () => number
}

/** The options, checked and complete. */
export type Settings = ReturnType<typeof checkOptions>

const MEBIBYTE = 1024 * 1024
const DEFAULT_ALGORITHMS: readonly SignatureAlgorithm[] = ['ES256']

/** Checks and copies the options, so that a bad configuration fails when the process starts. */
export function checkOptions(options: VerifierOptions) {
  const { api, issuer, ledger, audit, revocation } = options
  const issuerId = typeof issuer === 'string' ? issuer : issuer?.issuer
  if (typeof api?.audience !== 'string' || Array.isArray(api)) throw invalid('api is one API made by defineApi')
  if (typeof issuerId !== 'string') throw invalid('issuer is the URL of the broker, or a broker')
  requireSecureUrl(issuerId, 'issuer')
  if (typeof ledger?.redeem !== 'function')
    throw invalid('ledger is required: memoryLedger(), brokerLedger() or a store')
  if (typeof audit?.append !== 'function') throw invalid('audit is required: a verifier without a trail admits nothing')
  if (revocation !== undefined && !('start' in revocation))
    positive(revocation.maxStalenessSeconds, 'revocation.maxStalenessSeconds')
  const publicUrl = options.publicUrl ?? api.audience
  requireSecureUrl(publicUrl, 'publicUrl')
  const signatureChecks = options.signatureChecks ?? 'at-once'
  if (signatureChecks !== 'at-once' && signatureChecks !== 'thread-pool')
    throw invalid("signatureChecks is 'at-once' or 'thread-pool'")
  const skewSeconds = options.skewSeconds ?? DEFAULT_SKEW_SECONDS
  if (!(skewSeconds >= 0 && skewSeconds <= MAX_SKEW_SECONDS)) throw invalid(`skewSeconds is 0 to ${MAX_SKEW_SECONDS}`)
  return {
    api,
    issuer,
    issuerId,
    ledger,
    audit,
    revocation: revocation === undefined || 'start' in revocation ? revocation : { ...revocation },
    publicUrl,
    nonces: options.nonces,
    acceptUnbound: options.acceptUnboundGrantsThatAnyHolderCanUse === true,
    tokenAlgorithms: [...(options.tokenAlgorithms ?? DEFAULT_ALGORITHMS)],
    proofAlgorithms: [...(options.proofAlgorithms ?? DEFAULT_ALGORITHMS)],
    checkSignature: signatureChecks === 'thread-pool' ? pooledSignatureCheck() : verifySignature,
    bodyLimitBytes: positive(options.bodyLimitBytes ?? MEBIBYTE, 'bodyLimitBytes'),
    bodyTimeoutMs: timeout(options.bodyTimeoutMs ?? 30_000, 'bodyTimeoutMs'),
    skewSeconds,
    cacheEntries: positive(options.cacheEntries ?? 10_000, 'cacheEntries'),
    ledgerTimeoutMs: timeout(options.ledgerTimeoutMs ?? 5000, 'ledgerTimeoutMs'),
    instance: options.instance,
    digestKey: options.digestKey,
    refusalWindowSeconds: positive(options.refusalWindowSeconds ?? 60, 'refusalWindowSeconds'),
    observe: safely(options.observe),
    telemetry: carefulTelemetry(options.telemetry),
    fetch: options.fetch ?? ((input: string, init: RequestInit) => globalThis.fetch(input, init)),
    clock: options.clock ?? (() => Date.now() / 1000),
  }
}

function positive(value: number, name: string): number {
  if (!Number.isFinite(value) || value <= 0) throw invalid(`${name} is a positive number`)
  return value
}

/** A timer that is set to more fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

function timeout(value: number, name: string): number {
  if (positive(value, name) > LONGEST_TIMER_MS) throw invalid(`${name} is at most ${LONGEST_TIMER_MS} ms`)
  return value
}

const invalid = (what: string) => new HallpassError('configuration-invalid', `createVerifier: ${what}`)
