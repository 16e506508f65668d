import type { MaybePromise } from '@hallpass/core'
import { sha256Base64url } from '@hallpass/core'
import type { ListeningPool } from './wake/listen-by-pg.ts'
import type { ListeningSql } from './wake/listen-by-postgres-js.ts'

/** A value bound to a statement. */
export type PostgresValue = string | number | boolean | null

/** What the ledger needs of `pg`: a Pool, not one Client, since several statements run at once. */
export interface PgPool extends ListeningPool {
  query(config: {
    text: string
    values: PostgresValue[]
    name?: string
  }): Promise<{ readonly rows: readonly unknown[] }>
}

/** What the ledger needs of `postgres` (postgres.js). */
export interface PostgresJs extends ListeningSql {
  unsafe(text: string, values: PostgresValue[], options: { prepare: boolean }): PromiseLike<ArrayLike<unknown>>
}

/** One statement on any free connection, in a transaction of its own. */
export type Ask = (text: string, values: readonly PostgresValue[]) => MaybePromise<readonly unknown[]>

export interface AskOptions {
  readonly pool?: PgPool
  readonly sql?: PostgresJs
  /** Prepared statements need connections that last; a pooler that hands them on per transaction breaks them. */
  readonly prepare: boolean
}

export function asker({ pool, sql, prepare }: AskOptions): Ask {
  if (sql !== undefined) return async (text, values) => Array.from(await sql.unsafe(text, [...values], { prepare }))
  const names = new Map<string, string>()
  return async (text, values) => {
    if (pool === undefined) throw new Error('Neither a pool nor sql was given')
    if (!prepare) return (await pool.query({ text, values: [...values] })).rows
    let name = names.get(text)
    // The library's own statements only, a handful: the text makes the name, so that pools can be shared.
    if (name === undefined) names.set(text, (name = `hallpass_${sha256Base64url(text).slice(0, 22)}`))
    return (await pool.query({ text, values: [...values], name })).rows
  }
}
