/** Characters of an answer's body that a ledger keeps for a retry; a longer one is not repeated. */
export const MAX_KEPT_BODY_CHARS = 16_384
