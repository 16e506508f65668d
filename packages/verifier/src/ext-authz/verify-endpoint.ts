import type { JsonObject } from '@hallpass/core'
import type { VerifiedGrant } from '../grant/verified-grant.ts'
import type { Answer } from '../refusal/answer.ts'
import { plainProblem } from '../refusal/answers.ts'
import type { Verifier } from '../verifier.ts'
import { closed, describedCall } from './described-call.ts'
import type { FindAction } from './find-action.ts'
import type { OpenHandles } from './open-handles.ts'

const json = (status: number, body: object): Answer => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify(body),
})

export interface VerifyDesk {
  readonly verifier: Verifier
  readonly findAction: FindAction
  readonly handles: OpenHandles
}

/**
 * `POST /verify`: the request as JSON in, what may be relied on out. `allowed: false` comes with the response to send.
 * The parameters in the answer are those that were checked; the backend uses them and parses nothing itself.
 */
export async function verifyCall(desk: VerifyDesk, body: Uint8Array): Promise<Answer> {
  const { verifier, findAction, handles } = desk
  const call = describedCall(body)
  if (!call.ok) return json(400, { error: call.detail ?? call.reason })
  const action = findAction(call.value.method, call.value.target)
  if (!action.ok) return refused(action.reason, undefined, plainProblem(action.reason))
  const place = handles.claim(verifier.now())
  if (place === undefined) return refused('ledger-full', undefined, plainProblem('ledger-full'))
  try {
    const verdict = await verifier.verify(action.value, call.value)
    switch (verdict.kind) {
      case 'refused':
        return refused(verdict.reason, verdict.event, verdict.answer())
      case 'repeated':
        return refused('idempotency-done', verdict.event, verdict.answer())
      case 'passed':
        return refused('internal', verdict.event, plainProblem('internal', { event: verdict.event }))
      case 'admitted':
        break
    }
    return json(200, { allowed: true, use: place.keep(verdict, verifier.now()), grant: told(verdict.grant) })
  } finally {
    place.free()
  }
}

const told = (grant: VerifiedGrant): object => ({
  id: grant.id,
  txn: grant.txn,
  agent: grant.agent,
  owner: grant.owner,
  subject: grant.subject,
  on_behalf_of: grant.onBehalfOf,
  action: grant.action,
  resource: grant.resource,
  resource_parts: grant.resourceParts,
  parameters: grant.parameters,
  uses_left: grant.usesLeft,
  event: grant.event,
  expires_at: grant.expiresAt,
})

const refused = (reason: string, event: string | undefined, response: Answer): Answer =>
  json(200, { allowed: false, reason, ...(event === undefined ? {} : { event }), response })

/** `POST /outcome` with `{ use, status }`: how the backend answered. Once; a late one is 404, and stays `unknown`. */
export async function reportOutcome({ handles, verifier }: VerifyDesk, body: Uint8Array): Promise<Answer> {
  const report = closed(body, ['use', 'status'])
  if (!report.ok) return json(400, { error: report.detail ?? report.reason })
  const { use: handle, status } = report.value
  if (typeof handle !== 'string' || !isStatus(status)) return json(400, { error: 'use is text, status 100 to 599' })
  const use = handles.take(handle, verifier.now())
  if (use === undefined) return json(404, { error: 'no such use is open' })
  await use.settle({ status })
  return json(200, { ok: true })
}

/** `POST /give-back` with `{ use, reason }`: nothing was done, so the use comes back, if grant and task still live. */
export async function giveBackUse({ handles, verifier }: VerifyDesk, body: Uint8Array): Promise<Answer> {
  const wish = closed(body, ['use', 'reason'])
  if (!wish.ok) return json(400, { error: wish.detail ?? wish.reason })
  const { use: handle, reason } = wish.value
  if (typeof handle !== 'string' || typeof reason !== 'string' || reason === '') {
    return json(400, { error: 'use is text, reason one short sentence' })
  }
  const use = handles.take(handle, verifier.now())
  if (use === undefined) return json(404, { error: 'no such use is open' })
  return json(200, { released: await use.grant.giveBack(reason) })
}

const isStatus = (value: JsonObject[string] | undefined): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 100 && value <= 599
