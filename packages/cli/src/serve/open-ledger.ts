import { isAbsolute, relative, resolve } from 'node:path'
import { HallpassError, memoryLedger } from '@hallpass/core'
import { Failure } from '../command/failure.ts'
import type { HallpassConfig, LedgerConfig } from '../config/define-config.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import { openPostgres } from './ledger-postgres.ts'
import { openRedis } from './ledger-redis.ts'
import { openSqlite } from './ledger-sqlite.ts'
import type { OpenedLedger } from './opened-ledger.ts'

const DEFAULT_LEDGER = 'sqlite:hallpass.db'

type Written = Exclude<HallpassConfig['ledger'], () => unknown>

/** What each way to write a place means. */
export function configuredLedger(ledger: Written = DEFAULT_LEDGER): LedgerConfig | 'memory' {
  if (typeof ledger !== 'string') return ledger
  const [scheme = ''] = ledger.split(':', 1)
  switch (scheme) {
    case 'memory':
      return 'memory'
    case 'sqlite':
      return { sqlite: ledger.slice('sqlite:'.length) }
    case 'redis':
    case 'rediss':
      return { redis: ledger }
    case 'postgres':
    case 'postgresql':
      return { postgres: ledger }
    default:
      // Not repeated: whatever it is, it may have a password in it.
      throw new Failure("ledger takes 'memory', 'sqlite:PATH', a redis:// or postgres:// URL, or a function")
  }
}

/** `redis://host:6379/0`, without who connects and how. */
export function withoutCredentials(url: string): string {
  if (!URL.canParse(url))
    throw new Failure('The ledger’s URL is not one: redis://HOST:PORT or postgres://HOST/DATABASE')
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`
}

const nothing = async (): Promise<void> => undefined

/** What kind of ledger it is, and where, without credentials. */
function placeOf(where: LedgerConfig, directory: string): string {
  if ('sqlite' in where) {
    const path = resolve(directory, where.sqlite)
    const shown = relative(process.cwd(), path)
    return `SQLite ${isAbsolute(shown) ? path : shown}`
  }
  if ('postgres' in where) return withoutCredentials(where.postgres)
  return [where.redis].flat().map(withoutCredentials).join(', ')
}

/** Opens the ledger that a configuration names; a database answers before this does. */
export async function openLedger({ config, directory, file }: LoadedConfig): Promise<OpenedLedger> {
  const { ledger } = config
  if (typeof ledger === 'function') return { ledger: await ledger(), place: 'as configured', close: nothing }
  const where = configuredLedger(ledger)
  if (where === 'memory') {
    return { ledger: memoryLedger({ exactFor: 'one-process' }), place: 'memory, for one process', close: nothing }
  }
  let opened: OpenedLedger | undefined
  try {
    opened = await open(where, { directory, file })
    await opened.ledger.now()
    return opened
  } catch (error) {
    await opened?.close().catch(() => undefined)
    if (!(error instanceof HallpassError) || error.code !== 'ledger-unavailable') throw error
    throw new Failure(
      `The ledger ${placeOf(where, directory)} does not answer: is its server running, and may this process use it?`,
    )
  }
}

function open(
  where: LedgerConfig,
  { directory, file }: Pick<LoadedConfig, 'directory' | 'file'>,
): Promise<OpenedLedger> {
  const place = placeOf(where, directory)
  if ('sqlite' in where) {
    const { sqlite, ...options } = where
    return openSqlite(file, { path: resolve(directory, sqlite), place, options })
  }
  if ('redis' in where) {
    const { redis, ...options } = where
    const urls = typeof redis === 'string' ? [redis] : redis
    return openRedis(file, { urls, isCluster: typeof redis !== 'string', place, options })
  }
  const { postgres, connections, ...options } = where
  return openPostgres(file, { url: postgres, connections, place, options })
}
