import { createStatusLists, TYP } from '@hallpass/core'
import type { OwnTokens } from '../token/own-tokens.ts'

export interface StatusEntry {
  readonly uri: string
  readonly idx: number
}

/** The broker's status lists: entries for grants, and the signed lists that say which of them are dead. */
export interface StatusListIssuer {
  /** A fresh entry for a grant that is over at `exp`. */
  allocate(exp: number): StatusEntry
  revoke(entries: readonly StatusEntry[]): void
  uris(): readonly string[]
  /** The signed list (Token Status List section 5.1), or undefined when there is none of that name. */
  token(uri: string): Promise<string | undefined>
}

export interface StatusListIssuerOptions {
  readonly issuer: string
  readonly incarnation: string
  readonly tokens: OwnTokens
  /** NumericDate seconds. */
  readonly clock: () => number
}

/** How long a verifier may go on with a list before it asks again, and when it must not use it any more. */
export const LIST_TTL_SECONDS = 15
export const LIST_LIFE_SECONDS = 60
/** A list that did not change is signed again after this long: verifiers count its age from the signature. */
const RESIGN_SECONDS = 5

interface SignedList {
  readonly change: number
  readonly iat: number
  readonly token: Promise<string | undefined>
}

export function createStatusListIssuer({
  issuer,
  incarnation,
  tokens,
  clock,
}: StatusListIssuerOptions): StatusListIssuer {
  const lists = createStatusLists({ issuer, incarnation, clock })
  const changes = new Map<string, number>()
  const signed = new Map<string, SignedList>()

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

  /** Lists that are gone take what is known of them along. */
  const current = (): readonly string[] => {
    const uris = lists.uris()
    if (changes.size + signed.size > 2 * uris.length) {
      for (const uri of [...changes.keys(), ...signed.keys()]) {
        if (uris.includes(uri)) continue
        changes.delete(uri)
        signed.delete(uri)
      }
    }
    return uris
  }

  return {
    allocate: (exp) => lists.allocate(exp),
    revoke(entries) {
      for (const { uri, idx } of entries) {
        if (lists.set(uri, idx, 1)) changes.set(uri, (changes.get(uri) ?? 0) + 1)
      }
    },
    uris: current,
    async token(uri) {
      if (!current().includes(uri)) return undefined
      const change = changes.get(uri) ?? 0
      const iat = Math.floor(clock())
      const last = signed.get(uri)
      if (last && last.change === change && iat - last.iat < RESIGN_SECONDS) return last.token
      const token = sign(uri, iat)
      signed.set(uri, { change, iat, token })
      token.catch(() => signed.delete(uri))
      return token
    },
  }
}
