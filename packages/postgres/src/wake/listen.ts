import type { PgPool, PostgresJs } from '../postgres-client.ts'
import { listenByPg } from './listen-by-pg.ts'
import { listenByPostgresJs } from './listen-by-postgres-js.ts'

/**
 * Calls `heard` for each notification, and without a payload whenever it begins to listen, because something may have
 * been said before. Returns what ends that. Throws nothing, and keeps trying: one that does not reach the server is
 * silent, and readers look by themselves too.
 */
export type Listen = (channel: string, heard: (payload: string | undefined) => void) => () => void

/** How to listen with this client; undefined where it cannot. */
export function listenerOf(client: PgPool | PostgresJs): Listen | undefined {
  const { listen, Client } = client as { listen?: unknown; Client?: unknown }
  if (typeof listen === 'function') return (channel, heard) => listenByPostgresJs(client as PostgresJs, channel, heard)
  if (typeof Client === 'function') return (channel, heard) => listenByPg(client as PgPool, channel, heard)
  return undefined
}
