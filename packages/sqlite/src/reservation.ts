/** Where the use is, and what nobody can guess about it. */
export const reservationOf = (seq: number, secret: string): string => `${secret}.${seq}`

export function parseReservation(reservation: string): { readonly seq: number; readonly secret: string } | undefined {
  const dot = reservation.lastIndexOf('.')
  const seq = Number(reservation.slice(dot + 1))
  if (dot < 1 || !Number.isSafeInteger(seq) || seq < 1) return undefined
  return { seq, secret: reservation.slice(0, dot) }
}
