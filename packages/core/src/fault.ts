/** Codes of everything Hallpass throws: misuse by the programmer, or infrastructure that is broken. Refusals are values. */
export type FaultCode =
  | 'api-invalid' // a catalog does not hold together
  | 'policy-invalid' // a policy does not hold together
  | 'configuration-invalid' // an option is missing or contradicts another
  | 'route-mismatch' // the catalog and the server's routes differ
  | 'body-consumed' // another parser read the body before the guard
  | 'guard-missing' // grantOf() on a request no guard let through
  | 'not-for-production' // a development aid was used in production
  | 'key-unavailable' // a signing key is missing, or its holder does not answer
  | 'ledger-unavailable' // the ledger cannot be asked
  | 'audit-unavailable' // the trail cannot be written
  | 'broker-unavailable' // the broker cannot be reached or answered what no broker may
  | 'identity-unavailable' // the workload's own token could not be had
  | 'trail-invalid' // an audit file cannot be read as one

/** Thrown for misuse and broken infrastructure only. Branch on `code`; the text may change. */
export class HallpassError extends Error {
  readonly code: FaultCode
  constructor(code: FaultCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'HallpassError'
    this.code = code
  }
}
