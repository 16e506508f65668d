import type { JsonObject, TokenSource, ToolCallEntry } from '@hallpass/core'
import { DETAIL_TYPE, GRANT_TYPE, TOKEN_TYPE_URI } from '@hallpass/core'
import type { SteadyClock } from '../clock/steady-clock.ts'
import { assertionForm } from '../identity/assertion.ts'
import type { Refusal } from '../outcome/refusal.ts'
import { refusal } from '../outcome/refusal.ts'
import type { TaskOptions } from '../task/task-options.ts'
import type { BrokerAnswer, BrokerLink } from './broker-link.ts'
import { grantedEntry } from './granted-entry.ts'
import { tokenAnswer } from './token-answer.ts'

/** A task token as the client holds it. Never leaves the client but for the broker. */
export interface TaskToken {
  readonly txn: string
  readonly token: string
  /** Steady seconds: the life counts from when the request left, so network time makes it shorter, never longer. */
  readonly expiresAt: number
  readonly lifeSeconds: number
}

export interface GrantAsk {
  readonly audience: string
  readonly action: string
  readonly resource: string
  readonly parameters: JsonObject
  readonly callId: string
}

/** A grant as the broker's answer states it. */
export interface GrantAnswer {
  readonly token: string
  readonly entry: ToolCallEntry
  readonly expiresAt: number
  readonly lifeSeconds: number
}

export type TaskEndReason = 'completed' | 'failed' | 'cancelled' | 'abandoned'

/** The broker as an agent sees it. Each operation answers with a value; only the caller's own abort is thrown. */
export interface Broker {
  openTask(options: TaskOptions): Promise<{ readonly ok: true; readonly task: TaskToken } | Refusal>
  renewTask(txn: string, signal: AbortSignal): Promise<{ readonly ok: true; readonly task: TaskToken } | Refusal>
  grant(
    task: TaskToken,
    ask: GrantAsk,
    signal: AbortSignal,
  ): Promise<{ readonly ok: true; readonly grant: GrantAnswer } | Refusal>
  endTask(task: TaskToken, reason: TaskEndReason): Promise<{ readonly ok: true } | Refusal>
}

export interface BrokerParts {
  readonly issuer: string
  readonly identity: TokenSource
  readonly link: BrokerLink
  readonly clock: SteadyClock
  readonly jkt: () => Promise<string>
  readonly timeoutMs: number
}

const TXN = /^tsk_[A-Za-z0-9_-]{16,64}$/

export function createBroker({ issuer, identity, link, clock, jkt, timeoutMs }: BrokerParts): Broker {
  async function taskRequest(detail: object, extra: Record<string, string>, signal: AbortSignal | undefined) {
    const assertion = await assertionForm(identity, issuer, { timeoutMs, signal })
    if (!assertion.ok) return assertion
    const form = {
      grant_type: GRANT_TYPE.clientCredentials,
      resource: issuer,
      authorization_details: JSON.stringify([{ type: DETAIL_TYPE.task, ...detail }]),
      ...assertion.form,
      ...extra,
    }
    return link.post('token', form, signal)
  }

  async function taskToken(answer: BrokerAnswer, expect: { readonly purpose?: string; readonly txn?: string }) {
    if (!answer.ok) return answer
    const read = tokenAnswer(answer.body, { kind: 'task', jkt: await jkt() })
    const txn = answer.body['txn']
    const fits =
      read !== undefined &&
      read.entry['type'] === DETAIL_TYPE.task &&
      (expect.purpose === undefined || read.entry['purpose'] === expect.purpose) &&
      typeof txn === 'string' &&
      (expect.txn === undefined ? TXN.test(txn) : txn === expect.txn)
    if (!fits) return refusal('broker-answer-invalid')
    const { token, life } = read
    return { ok: true, task: { txn, token, expiresAt: answer.sentAt + life, lifeSeconds: life } } as const
  }

  return {
    async openTask({ purpose, note, ceiling, deadlineSeconds, onBehalfOf, signal }) {
      const deadline = deadlineSeconds === undefined ? undefined : Math.floor(clock.wall() + deadlineSeconds)
      const extra = onBehalfOf && { subject_token: onBehalfOf.token, subject_token_type: subjectType[onBehalfOf.type] }
      return taskToken(await taskRequest({ purpose, note, ceiling, deadline }, { ...extra }, signal), { purpose })
    },

    async renewTask(txn, signal) {
      return taskToken(await taskRequest({ txn }, {}, signal), { txn })
    },

    async grant(task, { audience, action, resource, parameters, callId }, signal) {
      const detail = {
        type: DETAIL_TYPE.toolCall,
        locations: [audience],
        actions: [action],
        identifier: resource,
        parameters,
      }
      const form = {
        grant_type: GRANT_TYPE.tokenExchange,
        subject_token: task.token,
        subject_token_type: TOKEN_TYPE_URI.accessToken,
        resource: audience,
        authorization_details: JSON.stringify([detail]),
        call_id: callId,
      }
      const answer = await link.post('token', form, signal)
      if (!answer.ok) return answer
      const read = tokenAnswer(answer.body, { kind: 'grant', jkt: await jkt() })
      const entry = read && grantedEntry(read.entry, { audience, action, resource, parameters })
      if (read === undefined || entry === undefined) return refusal('broker-answer-invalid')
      const { token, life } = read
      return { ok: true, grant: { token, entry, expiresAt: answer.sentAt + life, lifeSeconds: life } }
    },

    async endTask(task, reason) {
      const answer = await link.post('revocation', { token: task.token, token_type_hint: 'access_token', reason })
      return answer.ok ? { ok: true } : answer
    },
  }
}

const subjectType = {
  id_token: TOKEN_TYPE_URI.idToken,
  access_token: TOKEN_TYPE_URI.accessToken,
  jwt: TOKEN_TYPE_URI.jwt,
} as const
