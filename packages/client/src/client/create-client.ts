import type { ApiSet, TelemetrySpan } from '@hallpass/core'
import { generateClientKey } from '#crypto'
import { createBrokerLink } from '../broker/broker-link.ts'
import { createBroker } from '../broker/broker.ts'
import { createApiLink } from '../call/api-link.ts'
import { createSteadyClock } from '../clock/steady-clock.ts'
import type { Refusal } from '../outcome/refusal.ts'
import { createProofMaker } from '../proof/proof-maker.ts'
import { createTask } from '../task/create-task.ts'
import type { TaskOptions } from '../task/task-options.ts'
import type { TaskSession } from '../task/task-session.ts'
import { createTaskSession } from '../task/task-session.ts'
import type { Task, TaskRefused } from '../task/task.ts'
import { createNonces } from '../wire/nonces.ts'
import type { ClientOptions } from './client-options.ts'
import { checkOptions } from './client-options.ts'
import type { Client } from './client.ts'

/**
 * Creates the client of one agent: one key that cannot be exported, grants in memory only.
 *
 * @throws `HallpassError` with `configuration-invalid` for options that do not hold together.
 */
export function createClient<const S extends ApiSet, Purpose extends string = string>(
  options: ClientOptions<S, Purpose>,
): Client<S, Purpose> {
  const checked = checkOptions(options)
  const {
    issuer,
    identity,
    api,
    places,
    fetch,
    brokerFetch,
    skewSeconds,
    brokerTimeoutMs,
    apiTimeoutMs,
    retryDelaysMs,
    telemetry,
  } = checked
  const clock = createSteadyClock(checked.clock)
  const nonces = createNonces()
  const maker = Promise.resolve(generateClientKey()).then(createProofMaker)
  // Whoever needs the key is told; until then a failure is nobody's to catch.
  maker.catch(() => {})
  const proofs = () => maker
  const shared = { proofs, nonces, clock, telemetry }
  const link = createBrokerLink({ ...shared, issuer, fetch: brokerFetch, timeoutMs: brokerTimeoutMs })
  const jkt = async () => (await maker).jkt
  const broker = createBroker({ issuer, identity, link, clock, jkt, timeoutMs: brokerTimeoutMs })
  const send = createApiLink({ ...shared, fetch, timeoutMs: apiTimeoutMs })
  const open = new Set<TaskSession>()

  async function openSession(
    options: TaskOptions,
    trace?: string,
  ): Promise<{ readonly ok: true; readonly session: TaskSession } | Refusal> {
    options.signal?.throwIfAborted()
    const opened = await broker.openTask(options, trace)
    if (!opened.ok) return opened
    const parts = { broker, clock, skewSeconds, pause, retryDelaysMs, telemetry, trace }
    const session = createTaskSession(opened.task, parts)
    open.add(session)
    const cancel = () => void session.end('cancelled')
    options.signal?.addEventListener('abort', cancel, { once: true })
    session.over.addEventListener('abort', () => {
      open.delete(session)
      options.signal?.removeEventListener('abort', cancel)
    })
    if (options.signal?.aborted) cancel()
    return { ok: true, session }
  }

  const faceOf = (session: TaskSession, { purpose, signal }: TaskOptions): Task<S> =>
    createTask<S>(session, { purpose, api, places, send, proofs, clock, signal })

  async function openTask(options: TaskOptions<Purpose>): Promise<Task<S> | TaskRefused> {
    const opened = await openSession(options)
    return opened.ok ? faceOf(opened.session, options) : { ...opened, [Symbol.asyncDispose]: async () => {} }
  }

  async function task<T>(options: TaskOptions<Purpose>, work: (task: Task<S>) => Promise<T>): Promise<T | Refusal> {
    if (telemetry === undefined) return run(options, work)
    return telemetry.task(options.purpose, (span) => run(options, work, span))
  }

  async function run<T>(
    options: TaskOptions<Purpose>,
    work: (task: Task<S>) => Promise<T>,
    span?: TelemetrySpan,
  ): Promise<T | Refusal> {
    const opened = await openSession(options, span?.traceparent)
    if (!opened.ok) {
      span?.set({ 'error.type': opened.reason })
      return opened
    }
    const { session } = opened
    span?.set({ 'hallpass.task.id': session.txn })
    try {
      const value = await work(faceOf(session, options))
      options.signal?.throwIfAborted()
      span?.set({ 'hallpass.end': 'completed' })
      await session.end('completed')
      return value
    } catch (error) {
      const how = options.signal?.aborted ? 'cancelled' : 'failed'
      span?.set({ 'hallpass.end': how })
      await session.end(how)
      options.signal?.throwIfAborted()
      throw error
    }
  }

  async function close(): Promise<void> {
    await Promise.all([...open].map((session) => session.end('cancelled')))
  }

  return { task, openTask, close, [Symbol.asyncDispose]: close }
}

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))
