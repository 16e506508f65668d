import { setTimeout } from 'node:timers/promises'
import type { Output } from '../command/output.ts'
import { Failure } from '../command/failure.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import type { Listening } from './listen.ts'
import { listen } from './listen.ts'
import { isLoopback } from './loopback.ts'
import type { OpenBroker } from './open-broker.ts'
import { openBroker } from './open-broker.ts'

const GRACE_SECONDS = 10

export interface ListenOptions {
  readonly host: string | undefined
  readonly port: string | undefined
}

/** Where to listen: as typed, as configured, or where a loopback issuer says. */
export function addressOf(
  { config }: LoadedConfig,
  typed: ListenOptions,
): { readonly host: string; readonly port: number } {
  const issuer = new URL(config.issuer)
  const own = isLoopback(config.issuer) ? Number(issuer.port || 80) : undefined
  const port = typed.port === undefined ? (config.listen?.port ?? own) : Number(typed.port)
  if (port === undefined)
    throw new Failure(`The issuer ${config.issuer} is not this machine: say where to listen with --port`)
  if (!Number.isSafeInteger(port) || port < 0 || port > 65_535)
    throw new Failure('--port takes a number from 0 to 65535', 2)
  for (const name of ['drainSeconds', 'graceSeconds'] as const) {
    const seconds = config.listen?.[name] ?? 0
    if (!(seconds >= 0 && seconds <= 600)) throw new Failure(`listen.${name} takes seconds from 0 to 600`)
  }
  return { host: typed.host ?? config.listen?.host ?? '127.0.0.1', port }
}

/** Resolves with the first signal that asks this process to end. A second one ends it at once. */
const asked = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve)
  })

export interface RunningBroker extends OpenBroker {
  readonly listening: Listening
}

export interface RunOptions {
  readonly typed: ListenOptions
  readonly output: Output
  /** Checkpoints go to stdout; default true. */
  readonly isLogging?: boolean
}

/** One JSON line for the log: where checkpoints go, so that they are kept elsewhere than the trail. */
const logLine = (fields: object): void => {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...fields })}\n`)
}

/**
 * Runs a broker until it is asked to end: not ready any more, then no new requests, running ones finish, the trail is
 * written and closed, then the ledger.
 * `started` is called when it answers.
 */
export async function runBroker(
  loaded: LoadedConfig,
  { typed, output, isLogging = true }: RunOptions,
  started: (running: RunningBroker) => void,
): Promise<0 | 1> {
  const address = addressOf(loaded, typed)
  const open = await openBroker(loaded, { publish: (checkpoint) => (isLogging ? logLine({ checkpoint }) : undefined) })
  let listening: Listening
  try {
    listening = await listen((request) => open.broker.fetch(request), address)
  } catch (error) {
    await open.close()
    throw error
  }
  process.on('SIGHUP', () => {
    try {
      const kid = open.reloadKeys()
      logLine(kid === undefined ? { keys: 'unchanged' } : { keys: 'rotated', kid })
    } catch (error) {
      output.warn((error as Error).message)
    }
  })
  started({ ...open, listening })
  const signal = await asked()
  const { drainSeconds = 0, graceSeconds = GRACE_SECONDS } = loaded.config.listen ?? {}
  output.warn(`${signal}: finishing`)
  open.broker.drain()
  await setTimeout(drainSeconds * 1000)
  await listening.stop(graceSeconds * 1000)
  await open.close()
  return 0
}
