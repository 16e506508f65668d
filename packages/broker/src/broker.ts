import {
  carefulTelemetry,
  createDigester,
  createStatusLists,
  type AuditSink,
  type JwkSet,
  type RevocationTarget,
} from '@hallpass/core'
import { randomBytes } from 'node:crypto'
import { createMerger } from './audit/merger.ts'
import { rememberedDigests } from './audit/remembered-digests.ts'
import { createRecorder } from './audit/recorder.ts'
import { createTraffic } from './audit/traffic.ts'
import type { Engine } from './engine.ts'
import type { Answer } from './http/answer.ts'
import { newAttempt } from './http/attempt.ts'
import { createPace } from './http/pace.ts'
import { createRoom } from './http/room.ts'
import { createRouter } from './http/router.ts'
import { tokenEndpoint } from './http/token-endpoint.ts'
import { createKeySources } from './identity/key-sources.ts'
import { createNonces } from './identity/nonce.ts'
import { createProofKeys } from './identity/proof-keys.ts'
import { createRegistry } from './identity/registry.ts'
import { createUserIssuers } from './identity/user-token.ts'
import { guardedLedger } from './ledger/guarded-ledger.ts'
import { createOpenUses } from './ledger/open-uses.ts'
import { audienceOf, checkOptions, registrantsOf, type BrokerOptions } from './options.ts'
import { boundedPosture } from './policy/posture.ts'
import { resume, revoke, type RevokeOptions, type Revoked } from './revocation/revoke.ts'
import { createFeed } from './revocation/feed/feed.ts'
import { Polls } from './revocation/ssf/polls.ts'
import { createPusher, type PushState } from './revocation/ssf/pusher.ts'
import { createRevocationTail } from './revocation/revocation-tail.ts'
import { createStatusListIssuer } from './revocation/status-lists.ts'
import { createStatusPlaces } from './revocation/status-places.ts'
import { createSweeper } from './revocation/sweeper.ts'
import { targetOf } from './revocation/target.ts'
import { steadyClock } from './steady-clock.ts'
import { createTriggers, type Signal, type Triggers } from './trigger/triggers.ts'
import { startGauges } from './telemetry/gauges.ts'
import { meterEvents } from './telemetry/meter-events.ts'
import { createNames } from './telemetry/names.ts'
import { answerTraced } from './telemetry/answer-traced.ts'
import { createOwnTokens } from './token/own-tokens.ts'
import type { Signer } from './token/signer.ts'

/** The broker: proves identity, decides, signs short-lived grants, revokes, records. */
export interface Broker {
  readonly issuer: string
  /** Every endpoint of the wire profile. Never rejects. */
  readonly fetch: (request: Request) => Promise<Response>
  /** `POST /token` as plain data: form parameters and the value of the `DPoP` header. */
  token(parameters: Readonly<Record<string, string>>, proof: string): Promise<Answer>
  /** The published keys. */
  jwks(): JwkSet
  /**
   * Kills what the target names, and says what that was; with `dryRun` only says it. Resolves when everything is dead.
   * Rejects with HallpassError `configuration-invalid` for a target that is none, such as a token in place of a grant's id.
   */
  revoke(target: RevocationTarget, reason: string, options?: RevokeOptions): Promise<Revoked>
  /** Lets a stopped agent, owner, action, policy version or everything go on; what was killed stays dead. */
  resume(target: RevocationTarget, reason: string): Promise<boolean>
  /**
   * The trail, with this broker watching: what an in-process verifier writes to counts for the agents' triggers.
   * Hand it to `createVerifier` as `audit`.
   */
  readonly audit: AuditSink
  /** Tells of something noticed about an agent; resolves to how many of its triggers waited for it, when they have acted. */
  signal(signal: Omit<Signal, 'by'>): Promise<number>
  /** The next key starts to sign, the present one stays published while a token of it may live. */
  rotateKeys(following?: Signer): { readonly kid: string; readonly retired: string }
  /** How delivery to each push receiver goes, for metrics. */
  deliveries(): readonly PushState[]
  /**
   * The broker is to end: `/readyz` answers 503 and feed streams are closed, so that balancers and verifiers turn to
   * another one. Everything else is answered until `close`.
   */
  drain(): void
  /** Stops the timer and writes what is still to be written. The trail stays open: it is its owner's. */
  close(): Promise<void>
}

/**
 * Creates a broker. Throws `configuration-invalid` when an option is missing, contradicts another, or leaves open who a
 * workload is.
 */
export function createBroker(options: BrokerOptions): Broker {
  checkOptions(options)
  const engine = createEngine(options)
  const route = createRouter(engine, options.audit)
  const { issuer, ledger, tail, tokens, clock } = engine
  const fetchOf = options.fetch ?? (async (url, init) => globalThis.fetch(url, init))
  const pushers = (options.receivers ?? []).map((receiver) =>
    createPusher(receiver, { issuer, ledger, tail, tokens, clock, fetch: fetchOf }),
  )
  const sweeper = createSweeper(engine, options.sweepSeconds)
  const stopGauges = startGauges(engine, options.audit)
  announce(engine)

  return {
    issuer: engine.issuer,
    fetch(request) {
      sweeper.nudge()
      return route(request)
    },
    token(parameters, proof) {
      sweeper.nudge()
      const attempt = newAttempt()
      const request = { form: new Map(Object.entries(parameters)), proof, attempt }
      if (engine.telemetry === undefined) return tokenEndpoint(engine, request)
      const asked = { operation: 'token', claim: null, attempt } as const
      return answerTraced(engine.telemetry, asked, () => tokenEndpoint(engine, request))
    },
    jwks: () => engine.keys.jwks(engine.clock()),
    revoke: async (target, reason, how = {}) =>
      revoke(engine, { target: targetOf(target), reason, by: 'in-process' }, how),
    resume: async (target, reason) => resume(engine, { target: targetOf(target), reason, by: 'in-process' }),
    audit: engine.audit,
    signal: (signal) => engine.triggers.signal({ ...signal, by: 'in-process' }),
    rotateKeys(following) {
      const rotated = engine.keys.rotate(engine.clock(), following)
      engine.recorder.note('key.rotated', { data: { ...rotated, next: following?.kid ?? null } })
      return rotated
    },
    deliveries: () => pushers.map((pusher) => pusher.state()),
    drain() {
      engine.isDraining = true
      engine.feed.close()
    },
    async close() {
      sweeper.stop()
      stopGauges()
      for (const pusher of pushers) pusher.close()
      // A verifier that was sent away comes back at once, and would hold a feed open that nobody ends.
      engine.isDraining = true
      engine.feed.close()
      engine.tail.close()
      await sweeper.now()
      engine.traffic.flush(true)
      await engine.recorder.drain()
      await options.audit.flush()
    },
  }
}

function createEngine(options: BrokerOptions): Engine {
  const { issuer, policy, keys, audit, nonces, environment } = options
  const clock = steadyClock(options.clock)
  const telemetry = carefulTelemetry(options.telemetry)
  const ledger = guardedLedger(options.ledger, telemetry)
  const triggers: Triggers = createTriggers({
    policy,
    clock,
    parts: {
      ledger,
      recorder: { note: (type, facts) => recorder.note(type, facts) },
      revoke: (target, reason, who) => revoke(engine, { target, reason, ...who }, {}),
      ...(telemetry === undefined ? {} : { telemetry }),
    },
  })
  const registrants = registrantsOf(options)
  const callers = new Map(registrants.map((registrant) => [registrant.id, registrant]))
  const told = telemetry && { telemetry, names: createNames(policy, callers) }
  const source = `broker:${issuer}`
  const seen = triggers.watch(audit)
  const watched = told === undefined ? seen : meterEvents(seen, { ...told, source })
  const recorder = createRecorder(watched, source, clock)
  const tokens = createOwnTokens(keys, clock)
  const fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init))
  const keySources = createKeySources(fetch, clock)
  const apis = options.apis ?? []
  const lists = createStatusLists({ issuer, incarnation: () => ledger.incarnation, clock })
  const tail = createRevocationTail(ledger, lists)
  const engine: Engine = {
    issuer,
    policy,
    ledger,
    keys,
    tokens,
    recorder,
    audit: watched,
    triggers,
    signals: new Map((options.signalers ?? []).map(({ id, signals }) => [id, signals])),
    traffic: createTraffic(recorder, clock),
    events: createMerger(recorder, audit),
    openUses: createOpenUses(),
    statusPlaces: createStatusPlaces(ledger, lists),
    statusLists: createStatusListIssuer({ issuer, ledger, lists, tail, tokens, clock }),
    tail,
    polls: new Polls(ledger),
    feed: createFeed({ issuer, ledger, tail, tokens, clock, ...options.feed }),
    assertions: {
      registry: createRegistry(registrants, issuer),
      keysFor: (identity) => keySources.forIdentity(identity),
      issuer,
      clock,
    },
    callers,
    users: createUserIssuers(options.users ?? [], { issuer, keys: keySources, clock }),
    ...(nonces === undefined ? {} : { nonces: createNonces(clock, nonces === true ? undefined : nonces.secret) }),
    ...(options.posture === undefined ? {} : { posture: boundedPosture(options.posture) }),
    proofKeys: createProofKeys(),
    pace: createPace({ rates: options.rates, isCaller: (id) => callers.has(id), clock }),
    room: createRoom(options.maxRequestsAtOnce),
    isDraining: false,
    digest: rememberedDigests(createDigester(options.digestKey ?? randomBytes(32))),
    ...(environment === undefined ? {} : { environment }),
    actions: new Map(policy.apis.flatMap(({ actions }) => Object.entries(actions))),
    ownLedgers: new Set(apis.filter(({ ledger: where }) => where === 'own').map(audienceOf)),
    taskTokenSeconds: options.taskTokenSeconds ?? 900,
    telemetry: told,
    clock,
  }
  return engine
}

function announce({ recorder, policy, issuer, keys, ledger }: Engine): void {
  const version = { version: policy.version, digest: policy.digest }
  recorder.note('broker.started', {
    policy: version,
    data: { issuer, kid: keys.current().kid, incarnation: ledger.incarnation },
  })
  recorder.note('policy.loaded', {
    policy: version,
    data: { agents: Object.keys(policy.agents), purposes: [...policy.purposes] },
  })
}
