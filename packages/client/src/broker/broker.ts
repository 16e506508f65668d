import type { JsonObject, TokenSource, ToolCallEntry } from '@hallpass/core'
import { DETAIL_TYPE, GRANT_TYPE, TOKEN_TYPE_URI } from '@hallpass/core'
import type { SteadyClock } from '../clock/steady-clock.ts'
import { assertionForm } from '../identity/assertion.ts'
import type { Refusal } from '../outcome/refusal.ts'
import { refusal } from '../outcome/refusal.ts'
import type { TaskOptions } from '../task/task-options.ts'
import type { BrokerAnswer, BrokerLink, PostOptions } from './broker-link.ts'
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
  /** W3C `traceparent` of the call it is asked for. */
  readonly trace?: string | undefined
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
  openTask(options: TaskOptions, trace?: string): Promise<{ readonly ok: true; readonly task: TaskToken } | Refusal>
  renewTask(
    txn: string,
    options: { readonly signal: AbortSignal; readonly trace: string | undefined },
  ): Promise<{ readonly ok: true; readonly task: TaskToken } | Refusal>
  grant(
    task: TaskToken,
    ask: GrantAsk,
    signal: AbortSignal,
  ): Promise<{ readonly ok: true; readonly grant: GrantAnswer } | Refusal>
  endTask(task: TaskToken, reason: TaskEndReason, trace?: string): Promise<{ readonly ok: true } | Refusal>
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
  async function taskRequest(
    operation: 'open_task' | 'renew_task',
    { detail, extra }: { readonly detail: object; readonly extra?: Record<string, string> },
    { signal, trace }: PostOptions,
  ) {
    const assertion = await assertionForm(identity, issuer, { timeoutMs, signal })
    if (!assertion.ok) return assertion
    const form = {
      grant_type: GRANT_TYPE.clientCredentials,
      resource: issuer,
      authorization_details: JSON.stringify([{ type: DETAIL_TYPE.task, ...detail }]),
      ...assertion.form,
      ...extra,
    }
    return link.post(operation, form, { signal, trace })
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
    async openTask({ purpose, note, ceiling, deadlineSeconds, onBehalfOf, signal }, trace) {
      const deadline = deadlineSeconds === undefined ? undefined : Math.floor(clock.wall() + deadlineSeconds)
      const extra = onBehalfOf && { subject_token: onBehalfOf.token, subject_token_type: subjectType[onBehalfOf.type] }
      const detail = { purpose, note, ceiling, deadline }
      return taskToken(await taskRequest('open_task', { detail, extra: { ...extra } }, { signal, trace }), { purpose })
    },

    async renewTask(txn, options) {
      return taskToken(await taskRequest('renew_task', { detail: { txn } }, options), { txn })
    },

    async grant(task, { audience, action, resource, parameters, callId, trace }, signal) {
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
      const about = {
        'gen_ai.tool.name': action,
        'gen_ai.tool.call.id': callId,
        'hallpass.audience': audience,
        'hallpass.task.id': task.txn,
      }
      const answer = await link.post('grant', form, { signal, trace, about })
      if (!answer.ok) return answer
      const read = tokenAnswer(answer.body, { kind: 'grant', jkt: await jkt() })
      const entry = read && grantedEntry(read.entry, { audience, action, resource, parameters })
      if (read === undefined || entry === undefined) return refusal('broker-answer-invalid')
      const { token, life } = read
      return { ok: true, grant: { token, entry, expiresAt: answer.sentAt + life, lifeSeconds: life } }
    },

    async endTask({ token, txn }, reason, trace) {
      const about = { 'hallpass.task.id': txn, 'hallpass.end': reason }
      const form = { token, token_type_hint: 'access_token', reason }
      const answer = await link.post('end_task', form, { trace, about })
      return answer.ok ? { ok: true } : answer
    },
  }
}

const subjectType = {
  id_token: TOKEN_TYPE_URI.idToken,
  access_token: TOKEN_TYPE_URI.accessToken,
  jwt: TOKEN_TYPE_URI.jwt,
} as const
