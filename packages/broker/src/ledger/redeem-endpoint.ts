import {
  ok,
  parseStrictJson,
  type AuditEvent,
  type RedeemAnswer,
  type RedeemRequest,
  type RefusalReason,
} from '@hallpass/core'
import type { EventFacts } from '../audit/recorder.ts'
import type { Engine } from '../engine.ts'
import { answer, type Answer } from '../http/answer.ts'
import type { OAuthRequest } from '../http/oauth-request.ts'
import { reject, type Step } from '../http/refusal.ts'
import type { TracedRequest } from '../telemetry/traced-request.ts'
import { recogniseCaller } from '../token/caller-token.ts'
import { parseRedeemCalls, type RedeemCall } from './parse-redeem.ts'
import { factsOf, hasEnd, idOf, onRecord, recoveredStart, type UseEnd } from './use-events.ts'

type RedeemedCall = RedeemAnswer | { readonly ok: true } | { readonly ok: true; readonly released: boolean }

/**
 * `POST /redeem`, for APIs without a store: redeems, outcomes and give-backs in one batch, answered in its order.
 * A use is on record before its answer leaves, so before the handler runs.
 */
export async function redeemEndpoint(engine: Engine, request: OAuthRequest): Promise<Answer> {
  const { attempt } = request
  return answer(engine, { attempt, challenge: true }, async () => {
    const caller = await recogniseCaller(engine, request, `${engine.issuer}/redeem`)
    if (!caller.ok) return caller
    if (caller.value.kind !== 'api') return reject('invalid_token', { reason: 'caller-not-allowed' })
    attempt.standing = 'authenticated'
    const { audience } = caller.value
    const calls = readCalls(request)
    if (!calls.ok) return calls
    const desk: Desk = { engine, audience }
    const answers: Promise<RedeemedCall>[] = calls.value.map((call) => perform(desk, call))
    const answered = await Promise.all(answers)
    if (attempt.traced !== undefined) traceBatch(attempt.traced, calls.value, answered)
    return ok({ answers: answered })
  })
}

/** A batch joins calls of many traces, so it is linked to each of them and part of none. */
function traceBatch(traced: TracedRequest, calls: readonly RedeemCall[], answers: readonly RedeemedCall[]): void {
  const count = (op: RedeemCall['op']): number => calls.filter((call) => call.op === op).length
  traced.set({
    'hallpass.batch.redeemed': count('redeem'),
    'hallpass.batch.settled': count('settle'),
    'hallpass.batch.given_back': count('give_back'),
    'hallpass.batch.refused': answers.filter((answer) => !answer.ok).length,
  })
  const traces = calls.flatMap((call) => (call.op === 'redeem' && call.request.trace ? [call.request.trace] : []))
  for (const trace of traces.slice(0, MAX_LINKS)) traced.link(trace)
}

const MAX_LINKS = 128

function readCalls({ body }: OAuthRequest): Step<readonly RedeemCall[]> {
  const json = parseStrictJson(body ?? '')
  const calls = json.ok ? parseRedeemCalls(json.value) : json
  return calls.ok ? calls : reject('invalid_request', { reason: 'request-invalid', detail: 'not a batch of calls' })
}

type Settle = Extract<RedeemCall, { op: 'settle' }>
type GiveBack = Extract<RedeemCall, { op: 'give_back' }>

interface Desk {
  readonly engine: Engine
  readonly audience: string
}

async function perform(desk: Desk, call: RedeemCall): Promise<RedeemedCall> {
  if (call.op === 'redeem') return redeem(desk, call.request)
  return call.op === 'settle' ? settle(desk, call) : giveBack(desk, call)
}

/**
 * The use that a reservation of this audience stands for; read from the ledger where it began before this broker did, and
 * its start put on record where the trail lost that. An id is no right: what another API holds, or nobody, is left alone
 * and not told apart.
 */
async function openUse({ engine, audience }: Desk, reservation: string): Promise<EventFacts | undefined> {
  if (engine.openUses.isOf(audience, reservation)) return engine.openUses.factsOf(reservation)
  const use = await engine.ledger.use(reservation)
  // What is over has its end on record already, or will have it from whoever sweeps.
  if (use?.audience !== audience || use.state !== 'running') return undefined
  if (use.outbox && !(await onRecord(engine, [use])).isStarted(use)) await engine.events.merge([recoveredStart(use)])
  return factsOf(use)
}

/**
 * The outcome is on record, and on disk where the ledger survives this process, before the ledger has it: a use that a
 * ledger calls done lacks nothing in the trail, and all others are found when their lease is over.
 */
async function settle(desk: Desk, { reservation, outcome }: Settle): Promise<RedeemedCall> {
  const { engine } = desk
  const facts = await openUse(desk, reservation)
  if (facts === undefined) return { ok: true }
  // Its lease may have ended since: then the trail has its end.
  if (!hasEnd(engine, reservation, ['use.unknown']))
    await recordEnd(engine, 'use.ended', { reservation, ...facts, status: outcome.status })
  // Otherwise its lease runs out in the ledger, and whoever sweeps after a crash tells of it.
  if (await isKept(engine)) {
    await engine.ledger.settle(reservation, outcome)
    engine.openUses.close(reservation)
  }
  return { ok: true }
}

/** Whether the trail keeps what it was told for as long as the ledger keeps what it is told. */
async function isKept({ ledger, audit }: Engine): Promise<boolean> {
  if (ledger.exactFor === 'one-process') return true
  return audit.flush().then(
    () => true,
    () => false,
  )
}

async function giveBack(desk: Desk, { reservation, reason }: GiveBack): Promise<RedeemedCall> {
  const { engine } = desk
  const facts = await openUse(desk, reservation)
  // What ran and is told of does not come back, though the ledger may not have heard of it.
  const isOpen = facts !== undefined && !hasEnd(engine, reservation, ['use.ended'])
  const released = isOpen && (await engine.ledger.giveBack(reservation, reason))
  if (released) {
    engine.openUses.close(reservation)
    await recordEnd(engine, 'use.given-back', { reservation, ...facts, detail: reason })
  }
  return { ok: true, released }
}

type End = EventFacts & { readonly reservation: string }

/** Once per use, whoever tells of it how often. It has happened: a trail that takes nothing now gets it later. */
async function recordEnd(engine: Engine, type: UseEnd, { reservation, ...facts }: End): Promise<void> {
  const event = { ...engine.recorder.stamp(), type, ...facts, id: idOf(type, reservation) }
  try {
    await engine.events.merge([event])
  } catch {
    engine.recorder.note(type, event)
    engine.events.know([event])
  }
}

async function redeem({ engine, audience }: Desk, request: RedeemRequest): Promise<RedeemedCall> {
  if (request.audience !== audience || engine.ownLedgers.has(audience))
    return { ok: false, reason: 'caller-not-allowed' }
  if (request.issuer !== engine.issuer) return { ok: false, reason: 'issuer-unknown' }
  const answered = await engine.ledger.redeem({ ...request, outbox: true })
  if (!answered.ok || answered.state !== 'first') return answered
  const { reservation } = answered
  const isResent = engine.openUses.has(reservation)
  if (!isResent) engine.openUses.open(reservation, request)
  const refuse = async (reason: RefusalReason, why: string): Promise<RedeemedCall> => {
    // The handler has not run and will not, so the use comes back; one that was sent again may have been answered before,
    // and where others share the ledger, any of them may have answered it.
    if (!isResent && engine.ledger.exactFor === 'one-process') {
      // Closed first: whoever sent it again and still waits must not run it on top.
      engine.openUses.close(reservation)
      await engine.ledger.giveBack(reservation, why)
    }
    return { ok: false, reason }
  }
  let added: number
  try {
    added = await engine.events.merge([useEvent(engine, request, reservation)])
  } catch {
    return refuse('audit-unavailable', 'the trail could not record it')
  }
  // It ended or went back while this waited, so its handler ran, or never will.
  const isOver = !engine.openUses.has(reservation) || (isResent && hasEnd(engine, reservation))
  if (isOver) return { ok: true, state: 'unknown', event: request.event }
  // The broker that recorded it may be gone, killed before its answer left.
  const isTaken = added === 0 && !isResent && !engine.events.hadUse(request.event, reservation)
  // It may also be a use whose opening nobody here remembers, and which ran: it stays used.
  return isTaken ? { ok: false, reason: 'request-invalid' } : answered
}

function useEvent(engine: Engine, request: RedeemRequest, reservation: string): AuditEvent {
  return {
    id: request.event,
    type: 'use.started',
    time: Math.round(engine.clock() * 1000) / 1000,
    source: `verifier:${request.audience}`,
    txn: request.txn,
    jti: request.jti,
    client_id: request.clientId,
    aud: request.audience,
    action: request.action,
    resource: request.resource,
    ...(request.proof === undefined ? {} : { jkt: request.proof.jkt }),
    ...(request.idempotency === undefined ? {} : { call_id: request.idempotency.key }),
    ...(request.trace === undefined ? {} : { trace: request.trace }),
    data: { reservation },
  }
}
