/** What finds a use again: where it is, and the secret that only its redeem was told. */
export interface Reservation {
  readonly shard: number
  readonly secret: string
  readonly jti: string
  readonly txn: string
  readonly attempt: string
}

export function reservationText({ shard, secret, jti, txn, attempt }: Reservation): string {
  return `res_${shard}.${secret}.${jti.length}.${txn.length}.${jti}${txn}${attempt}`
}

/** Undefined for what this ledger never handed out. */
export function parseReservation(text: string): Reservation | undefined {
  const [, shard, secret, ofJti, ofTxn, ids] =
    /^res_(\d{1,3})\.([\w-]{24})\.(\d{1,4})\.(\d{1,4})\.([^\n]*)$/.exec(text) ?? []
  if (shard === undefined || secret === undefined || ids === undefined) return undefined
  const [jti, txn] = [Number(ofJti), Number(ofTxn)]
  if (ids.length <= jti + txn) return undefined
  return {
    shard: Number(shard),
    secret,
    jti: ids.slice(0, jti),
    txn: ids.slice(jti, jti + txn),
    attempt: ids.slice(jti + txn),
  }
}
