import { encodeBase64url, TYP } from '@hallpass/core'
import { deflateSync } from 'node:zlib'
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

export function createStatusListIssuer(options: { issuer: string; incarnation: string; tokens: OwnTokens; clock: () => number }): StatusListIssuer {
  const uri = `${options.issuer}/status/${options.incarnation}-0`
  let next = 0
  const bits = new Uint8Array(1 << 17)
  return {
    allocate: () => ({ uri, idx: next++ }),
    revoke(entries) {
      for (const { idx } of entries) bits[idx >> 3] = (bits[idx >> 3] ?? 0) | (1 << (idx & 7))
    },
    uris: () => [uri],
    async token(wanted) {
      if (wanted !== uri) return undefined
      const iat = Math.floor(options.clock())
      const list = { bits: 1, lst: encodeBase64url(deflateSync(bits)) }
      return options.tokens.sign(JSON.stringify({ sub: uri, iat, exp: iat + 60, ttl: 15, status_list: list }), TYP.statusList)
    },
  }
}
