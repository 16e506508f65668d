import { type Ledger, type StatusLists, TYP } from '@hallpass/core'
import type { OwnTokens } from '../token/own-tokens.ts'
import type { RevocationTail } from './revocation-tail.ts'

/** The signed lists that say which grants are dead: the same from every broker of one ledger. */
export interface StatusListIssuer {
  /** The lists that living grants are in. */
  uris(): Promise<readonly string[]>
  /** The signed list (Token Status List section 5.1), or undefined when there is none of that name. */
  token(uri: string): Promise<string | undefined>
}

export interface StatusListIssuerOptions {
  readonly issuer: string
  readonly ledger: Pick<Ledger, 'reserveStatus'>
  readonly lists: StatusLists
  readonly tail: RevocationTail
  readonly tokens: OwnTokens
  /** NumericDate seconds. */
  readonly clock: () => number
}

/** How long a verifier may go on with a list before it asks again, and when it must not use it any more. */
export const LIST_TTL_SECONDS = 15
export const LIST_LIFE_SECONDS = 60
/** A list that did not change is signed again after this long: verifiers count its age from the signature. */
const RESIGN_SECONDS = 5
/** The log is read again for a list after this long, should nobody have told that something happened. */
const FRESH_SECONDS = 1

interface SignedList {
  readonly changes: number
  readonly iat: number
  readonly token: Promise<string | undefined>
}

export function createStatusListIssuer(options: StatusListIssuerOptions): StatusListIssuer {
  const { issuer, ledger, lists, tail, tokens, clock } = options
  const signed = new Map<string, SignedList>()
  /** How many indexes of each series were taken when it was last asked for. */
  const taken = new Map<string, number>()

  async function sign(uri: string, iat: number): Promise<string | undefined> {
    const list = await lists.encode(uri)
    if (list === undefined) return undefined
    const claims = {
      iss: issuer,
      sub: uri,
      iat,
      exp: iat + LIST_LIFE_SECONDS,
      ttl: LIST_TTL_SECONDS,
      status_list: list,
    }
    return tokens.sign(JSON.stringify(claims), TYP.statusList)
  }

  /** Whether a grant can be in the list: nobody makes this broker sign lists that are none. */
  async function exists(uri: string): Promise<boolean> {
    const place = lists.locate(uri)
    if (place === undefined) return false
    const { series, firstIndex } = place
    if (firstIndex < (taken.get(series.name) ?? 0)) return true
    const count = await ledger.reserveStatus(series, 0)
    if (count > 0) taken.set(series.name, count)
    return firstIndex < count
  }

  const forgetOver = (): void => {
    const living = new Set(lists.living().map(({ name }) => name))
    for (const name of taken.keys()) if (!living.has(name)) taken.delete(name)
    for (const uri of signed.keys()) if (lists.locate(uri) === undefined) signed.delete(uri)
  }

  return {
    async uris() {
      const living = lists.living()
      const counts = await Promise.all(living.map(async (series) => ledger.reserveStatus(series, 0)))
      return living.flatMap((series, index) => lists.uris(series, counts[index] ?? 0))
    },
    async token(uri) {
      if (!(await exists(uri))) return undefined
      if (tail.isBehind || clock() - tail.at >= FRESH_SECONDS) await tail.sync()
      // The list says what was so when the log was read, not when it was signed.
      const iat = Math.floor(tail.at)
      const changes = lists.changes(uri)
      const last = signed.get(uri)
      if (last && last.changes === changes && iat - last.iat < RESIGN_SECONDS) return last.token
      if (last === undefined) forgetOver()
      const token = sign(uri, iat)
      signed.set(uri, { changes, iat, token })
      token.catch(() => signed.delete(uri))
      return token
    },
  }
}
