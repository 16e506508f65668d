import type { SqliteHandle, SqliteStatement, SqliteValue } from './sqlite-handle.ts'

/** The database with each statement compiled once. */
export class SqliteFile {
  readonly #handle: SqliteHandle
  readonly #statements = new Map<string, SqliteStatement>()

  constructor(handle: SqliteHandle) {
    this.#handle = handle
  }

  exec(sql: string): void {
    this.#handle.exec(sql)
  }

  /** The first row, which must have the columns of `Row`. */
  // eslint-disable-next-line typescript/no-unnecessary-type-parameters
  get<Row>(sql: string, ...parameters: SqliteValue[]): Row | undefined {
    return (this.#statement(sql).get(...parameters) ?? undefined) as Row | undefined
  }

  all<Row>(sql: string, ...parameters: SqliteValue[]): Row[] {
    return this.#statement(sql).all(...parameters) as Row[]
  }

  /** How many rows were changed. */
  run(sql: string, ...parameters: SqliteValue[]): number {
    return Number(this.#statement(sql).run(...parameters).changes)
  }

  #statement(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql)
    if (statement === undefined) this.#statements.set(sql, (statement = this.#handle.prepare(sql)))
    return statement
  }
}
