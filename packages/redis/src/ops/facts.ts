/** What a request must repeat of its grant, a line each: compared as one text. An unbound grant has no last line. */
export function factsOf(
  grant: {
    readonly audience: string
    readonly issuer: string
    readonly txn: string
    readonly clientId: string
    readonly iat: number
    readonly exp: number
    readonly action: string
    readonly resource: string
  },
  jkt = '',
): string {
  const { audience, issuer, txn, clientId, iat, exp, action, resource } = grant
  return `${audience}\n${issuer}\n${txn}\n${clientId}\n${iat}\n${exp}\n${action}\n${resource}\n${jkt}`
}

/** Separators in a text of facts. */
export const FACT_BREAKS = 8
