import { hasRedisServer } from './redis-server.ts'

/**
 * Whether servers can be started here. Where they must be (`CI`), their absence is a failure; elsewhere it is said.
 */
export function canStartServers(): boolean {
  if (hasRedisServer()) return true
  const says = 'redis-server is not installed: the tests of @hallpass/redis on real servers'
  if (process.env['CI'] !== undefined) throw new Error(`${says} cannot run, and CI skips nothing`)
  process.stderr.write(`${says} are skipped\n`)
  return false
}

/** Port of a server that is there already, where none can be started. */
export function givenPort(): number | undefined {
  const url = process.env['HALLPASS_TEST_REDIS_URL']
  return url === undefined ? undefined : Number(new URL(url).port || 6379)
}
