/** What is bound to a statement. */
export type SqliteValue = string | number | null

export interface SqliteStatement {
  run(...parameters: SqliteValue[]): { readonly changes: number | bigint }
  get(...parameters: SqliteValue[]): unknown
  all(...parameters: SqliteValue[]): unknown[]
}

/**
 * What the ledger needs of an open database: the common part of `node:sqlite` (`DatabaseSync`),
 * `@photostructure/sqlite`, `better-sqlite3` and `libsql`. Integers must come back as numbers.
 */
export interface SqliteHandle {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
}
