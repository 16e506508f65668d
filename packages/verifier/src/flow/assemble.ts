import type { ProofKeyCache, SignatureAlgorithm } from '@hallpass/core'
import { createDigester, isPromise, randomId } from '@hallpass/core'
import { createEventIds } from '../audit/event-ids.ts'
import type { Recorder } from '../audit/recorder.ts'
import { createRecorder } from '../audit/recorder.ts'
import { createRefusalStanding } from '../audit/refusal-standing.ts'
import { createRefusalTally } from '../audit/refusal-tally.ts'
import { cachedKeys } from '../keys/cached-keys.ts'
import type { IssuerKeys } from '../keys/issuer-keys.ts'
import { localKeySource } from '../keys/local-key-source.ts'
import { remoteKeySource } from '../keys/remote-key-source.ts'
import { metadataPath } from '../metadata.ts'
import type { Settings } from '../options.ts'
import { createHolderKeys } from '../proof/holder-keys.ts'
import type { Answers } from '../refusal/answers.ts'
import { createAnswers } from '../refusal/answers.ts'
import { liveStatus } from '../revocation/live-status.ts'
import { createStatusLists } from '../revocation/status-lists.ts'
import type { CallTelemetry } from '../telemetry/call-telemetry.ts'
import { callTelemetry } from '../telemetry/call-telemetry.ts'
import { createTokenCache } from '../token/token-cache.ts'
import type { TokenVerifier } from '../token/token-verifier.ts'
import { createTokenVerifier } from '../token/token-verifier.ts'
import type { UseKeeper } from '../use/open-use.ts'
import type { Attempt, Step } from './attempt.ts'
import type { Conclude } from './conclude.ts'
import { createConclude } from './conclude.ts'
import type { SpendRules } from './spend-grant.ts'

/** What the steps of one verifier work with. */
export interface Parts {
  readonly verifyToken: TokenVerifier
  readonly holderKeys: ProofKeyCache
  readonly revocation: readonly Step[]
  readonly spending: SpendRules
  readonly recorder: Recorder
  readonly conclude: Conclude
  readonly telemetry: CallTelemetry | undefined
  /** Closes a use whose start could not be recorded: it stays used. */
  readonly abandon: (attempt: Attempt) => void
  readonly flush: () => Promise<void>
}

/** Builds the parts of a verifier from its checked settings. */
export function assemble(settings: Settings): Parts {
  const { api, audit, ledger, clock, nonces, observe } = settings
  const { audience } = api
  const nextId = createEventIds()
  const source = `verifier:${audience}#${settings.instance ?? randomId('')}`
  const digest = createDigester(settings.digestKey ?? globalThis.crypto.getRandomValues(new Uint8Array(32)))
  const tally = createRefusalTally({ audit, source, audience, windowSeconds: settings.refusalWindowSeconds, nextId })
  const standingOf = createRefusalStanding(settings.refusalWindowSeconds)
  const recorder = createRecorder({ audit, source, audience, digest, tally, standingOf, nextId })
  const pending = new Set<Promise<unknown>>()
  const track = (work: Promise<unknown>): void => {
    pending.add(work)
    void work.finally(() => pending.delete(work))
  }
  const watched = settings.telemetry === undefined ? undefined : callTelemetry(settings.telemetry, audience)
  const keeper: UseKeeper = { ledger, recorder, clock, track, observe: watched?.observing(observe) ?? observe }
  const conclude = createConclude({ recorder, keeper, answers: answersOf(settings), nonces, nextId, observe })
  backlogOf(settings)
  const keys = issuerKeys(settings, settings.tokenAlgorithms)

  return {
    verifyToken: createTokenVerifier({
      issuer: settings.issuerId,
      audience,
      algorithms: settings.tokenAlgorithms,
      skewSeconds: settings.skewSeconds,
      keys,
      cache: createTokenCache(settings.cacheEntries),
      checkSignature: settings.checkSignature,
    }),
    holderKeys: createHolderKeys(settings.cacheEntries),
    revocation: revocationSteps(settings, keys),
    spending: {
      ledger,
      timeoutMs: settings.ledgerTimeoutMs,
      source: settings.revocation === undefined ? 'registered' : 'signed',
      nextId,
    },
    recorder,
    conclude: watched?.concluding(conclude) ?? conclude,
    telemetry: watched,
    abandon({ redeemed }) {
      // Should this fail too, the lease runs out and says the same.
      try {
        const settled = ledger.settle(redeemed?.reservation ?? '', { status: 503 })
        if (isPromise(settled)) track(settled.catch(() => undefined))
      } catch {
        // As above.
      }
    },
    async flush() {
      while (pending.size > 0) await Promise.all(pending)
      await tally.flush(clock())
      await audit.flush()
    },
  }
}

function answersOf({ api, proofAlgorithms }: Settings): Answers {
  return createAnswers(proofAlgorithms, new URL(metadataPath(api.audience), api.audience).href)
}

/** How many events the trail of this verifier still has to hand on. */
function backlogOf({ telemetry, audit, api }: Settings): void {
  if (telemetry === undefined || audit.backlog === undefined) return
  const attributes = { 'hallpass.role': 'verifier', 'hallpass.audience': api.audience } as const
  telemetry.gauge('hallpass.audit.backlog', attributes, () => audit.backlog?.() ?? Number.NaN)
}

function issuerKeys({ issuer, fetch }: Settings, algorithms: readonly SignatureAlgorithm[]): IssuerKeys {
  return cachedKeys(typeof issuer === 'string' ? remoteKeySource(issuer, fetch) : localKeySource(issuer), algorithms)
}

/** A verifier that shares the broker's ledger needs neither list nor feed: the ledger knows first. */
function revocationSteps(settings: Settings, keys: IssuerKeys): readonly Step[] {
  const { revocation, api, issuer, issuerId, tokenAlgorithms: algorithms, skewSeconds, clock, telemetry } = settings
  if (revocation === undefined) return []
  const inProcess = typeof issuer === 'string' ? undefined : issuer.fetch?.bind(issuer)
  const fetch =
    inProcess === undefined
      ? settings.fetch
      : async (url: string, init: RequestInit) => inProcess(new Request(url, init))
  const { audience } = api
  const statusList = (maxStalenessSeconds: number) => {
    const lists = createStatusLists({ issuer: issuerId, keys, algorithms, maxStalenessSeconds, skewSeconds, fetch })
    const of = { 'hallpass.audience': audience, 'hallpass.source': 'status_list' } as const
    telemetry?.gauge('hallpass.revocation.staleness', of, () => lists.staleness(clock()))
    return liveStatus(lists)
  }
  if (!('start' in revocation)) return [statusList(revocation.maxStalenessSeconds)]
  const context = { issuer: issuerId, audience, keys, algorithms, skewSeconds, fetch, clock, statusList }
  return [revocation.start(telemetry === undefined ? context : { ...context, telemetry })]
}
