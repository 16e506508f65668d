/** Printable ASCII without quote and backslash (RFC 9449 section 8.1), of a sane length. */
const NONCE = /^[\x21\x23-\x5B\x5D-\x7E]{1,512}$/

/** The newest DPoP nonce of each server this client talks to. Servers come from configuration, so it stays small. */
export interface Nonces {
  of(origin: string): string | undefined
  /** Keeps a newer nonce from any answer. True when the answer brought one. */
  learn(origin: string, response: Response): boolean
}

export function createNonces(): Nonces {
  const newest = new Map<string, string>()
  return {
    of: (origin) => newest.get(origin),
    learn(origin, response) {
      const nonce = response.headers.get('DPoP-Nonce')
      if (nonce === null || !NONCE.test(nonce)) return false
      newest.set(origin, nonce)
      return true
    },
  }
}
