import type { ApiSet } from '@hallpass/core'
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
  } = checked
  const clock = createSteadyClock(checked.clock)
  const nonces = createNonces()
  const maker = Promise.resolve(generateClientKey()).then(createProofMaker)
  // Whoever needs the key is told; until then a failure is nobody's to catch.
  maker.catch(() => {})
  const proofs = () => maker
  const link = createBrokerLink({ issuer, fetch: brokerFetch, proofs, nonces, clock, timeoutMs: brokerTimeoutMs })
  const jkt = async () => (await maker).jkt
  const broker = createBroker({ issuer, identity, link, clock, jkt, timeoutMs: brokerTimeoutMs })
  const send = createApiLink({ fetch, proofs, nonces, clock, timeoutMs: apiTimeoutMs })
  const open = new Set<TaskSession>()

  async function openSession(
    options: TaskOptions,
  ): Promise<{ readonly ok: true; readonly session: TaskSession } | Refusal> {
    options.signal?.throwIfAborted()
    const opened = await broker.openTask(options)
    if (!opened.ok) return opened
    const session = createTaskSession(opened.task, { broker, clock, skewSeconds, pause, retryDelaysMs })
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
    const opened = await openSession(options)
    if (!opened.ok) return opened
    const { session } = opened
    try {
      const value = await work(faceOf(session, options))
      options.signal?.throwIfAborted()
      await session.end('completed')
      return value
    } catch (error) {
      await session.end(options.signal?.aborted ? 'cancelled' : 'failed')
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
