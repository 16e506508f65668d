import { HallpassError } from '@hallpass/core'
import type { PgTrouble } from './pg-trouble.ts'
import { pgTroubleOf } from './pg-trouble.ts'
import type { Ask, PostgresValue } from './postgres-client.ts'
import { SQLSTATE } from './schema/schema-sql.ts'

const FIRST_WAIT_MS = 10
const LONGEST_WAIT_MS = 500

export interface CallOptions {
  /**
   * Whether a statement whose answer was lost may be sent again: when the second does what the first may have done.
   * What the server itself rolled back is always sent again.
   */
  readonly resend: boolean
}

/** The database is out of room: the caller turns it into a refusal where it can. */
export class DatabaseFull extends Error {}

/** The statement itself does not work; others may. */
export class StatementBroken extends Error {}

/** The server behind the client: every call is one statement, within a time, sent again where that is safe. */
export class Server {
  readonly #ask: Ask
  readonly #timeoutMs: number

  constructor(ask: Ask, timeoutMs: number) {
    this.#ask = ask
    this.#timeoutMs = timeoutMs
  }

  /** Rows of one statement; `values` is told whether the statement may have been carried out before. */
  async rows(
    text: string,
    values: (isResend: boolean) => readonly PostgresValue[],
    { resend }: CallOptions,
  ): Promise<readonly unknown[]> {
    const until = performance.now() + this.#timeoutMs
    let isResend = false
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      const sent = await this.#send(text, values(isResend), until)
      if ('rows' in sent) return sent.rows
      const mayGoOn = sent.trouble === 'undone' || (sent.trouble === 'unknown' && resend)
      if (!mayGoOn || performance.now() + wait >= until) throw failureOf(sent)
      isResend ||= sent.trouble === 'unknown'
      await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random() / 2)))
    }
  }

  /** The column `r` of the one row. */
  async one(text: string, values: readonly PostgresValue[], options: CallOptions): Promise<unknown> {
    return oneOf(await this.rows(text, () => values, options))
  }

  async #send(text: string, values: readonly PostgresValue[], until: number): Promise<Sent> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<Sent>((resolve) => {
      timer = setTimeout(() => resolve({ trouble: 'unknown', cause: undefined }), until - performance.now())
    })
    try {
      const rows = (async (): Promise<Sent> => ({ rows: await this.#ask(text, values) }))()
      return await Promise.race([rows, late])
    } catch (cause) {
      return { trouble: pgTroubleOf(cause), cause }
    } finally {
      clearTimeout(timer)
    }
  }
}

export const oneOf = (rows: readonly unknown[]): unknown => Object(rows[0])['r'] ?? undefined

type Failed = { readonly trouble: PgTrouble; readonly cause: unknown }
type Sent = { readonly rows: readonly unknown[] } | Failed

function failureOf({ trouble, cause }: Failed): Error {
  if (Object(cause)['code'] === SQLSTATE.isolation) {
    const what = 'The ledger needs connections in READ COMMITTED: change default_transaction_isolation for its role'
    return new HallpassError('configuration-invalid', `postgresLedger: ${what}`, { cause })
  }
  if (trouble === 'full') return new DatabaseFull('The database is out of room', { cause })
  if (trouble === 'broken') return new StatementBroken('PostgreSQL did not take the statement', { cause })
  return unavailable('PostgreSQL did not answer in time, or kept rolling back', cause)
}

export const unavailable = (what: string, cause?: unknown) =>
  new HallpassError('ledger-unavailable', what, cause === undefined ? {} : { cause })
