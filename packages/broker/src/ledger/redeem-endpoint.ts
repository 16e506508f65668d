import {
  ok,
  parseStrictJson,
  type AuditEvent,
  type RedeemAnswer,
  type RedeemRequest,
  type RefusalReason,
} from '@hallpass/core'
import type { Engine } from '../engine.ts'
import { answer, type Answer } from '../http/answer.ts'
import type { OAuthRequest } from '../http/oauth-request.ts'
import { reject, type Step } from '../http/refusal.ts'
import type { TracedRequest } from '../telemetry/traced-request.ts'
import { recogniseCaller } from '../token/caller-token.ts'
import { parseRedeemCalls, type RedeemCall } from './parse-redeem.ts'

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

interface Desk {
  readonly engine: Engine
  readonly audience: string
}

async function perform(desk: Desk, call: RedeemCall): Promise<RedeemedCall> {
  const { engine, audience } = desk
  if (call.op === 'redeem') return redeem(desk, call.request)
  const { reservation } = call
  // An id is no right: what another API holds, or nobody, is left alone and not told apart.
  const isOwn = engine.openUses.isOf(audience, reservation)
  if (call.op === 'settle') {
    const { outcome } = call
    if (!isOwn) return { ok: true }
    await engine.ledger.settle(reservation, outcome)
    engine.recorder.note('use.ended', { ...engine.openUses.close(reservation), aud: audience, status: outcome.status })
    return { ok: true }
  }
  const released = isOwn && (await engine.ledger.giveBack(reservation, call.reason))
  if (released) {
    engine.recorder.note('use.given-back', {
      ...engine.openUses.close(reservation),
      aud: audience,
      detail: call.reason,
    })
  }
  return { ok: true, released }
}

async function redeem({ engine, audience }: Desk, request: RedeemRequest): Promise<RedeemedCall> {
  if (request.audience !== audience || engine.ownLedgers.has(audience))
    return { ok: false, reason: 'caller-not-allowed' }
  if (request.issuer !== engine.issuer) return { ok: false, reason: 'issuer-unknown' }
  const answered = await engine.ledger.redeem(request)
  if (!answered.ok || answered.state !== 'first') return answered
  const { reservation } = answered
  const isResent = engine.openUses.has(reservation)
  if (!isResent) engine.openUses.open(reservation, request)
  const refuse = async (reason: RefusalReason, why: string): Promise<RedeemedCall> => {
    // The handler has not run and will not, so the use comes back; one that was sent again may have been answered before.
    if (!isResent) {
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
  if (!engine.openUses.has(reservation)) return { ok: true, state: 'unknown', event: request.event }
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
