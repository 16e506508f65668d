/** What a request must repeat of its grant, a line each: compared as one text. */
export function factsOf(grant: {
  readonly audience: string
  readonly issuer: string
  readonly txn: string
  readonly clientId: string
  readonly iat: number
  readonly exp: number
  readonly action: string
}): string {
  const { audience, issuer, txn, clientId, iat, exp, action } = grant
  return `${audience}\n${issuer}\n${txn}\n${clientId}\n${iat}\n${exp}\n${action}`
}
