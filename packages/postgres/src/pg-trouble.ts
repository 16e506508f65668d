/**
 * `undone`: the server rolled it back, so it may be sent again at once. `unknown`: the connection went before the
 * answer came. `full`: no room on the server's disk. `broken`: nothing that sending again would help.
 */
export type PgTrouble = 'undone' | 'unknown' | 'full' | 'broken'

const UNDONE = new Set(['40001', '40P01', '55P03', '53300', '57P03', 'ECONNREFUSED'])
const UNKNOWN =
  /^(08...|57P01|57P02|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|CONNECTION_(CLOSED|ENDED|DESTROYED)|CONNECT_TIMEOUT)$/
const FULL = new Set(['53100', '53200'])

/** What an error of `pg` or `postgres` means for the statement it belongs to. */
export function pgTroubleOf(error: unknown): PgTrouble {
  const { code, message } = Object(error) as Readonly<Record<string, unknown>>
  if (typeof code === 'string') {
    if (UNDONE.has(code)) return 'undone'
    if (UNKNOWN.test(code)) return 'unknown'
    if (FULL.has(code)) return 'full'
  }
  const isCut = typeof message === 'string' && /connection (terminated|ended|closed)|timeout exceeded/i.test(message)
  return isCut ? 'unknown' : 'broken'
}
