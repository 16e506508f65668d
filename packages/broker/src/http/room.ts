/** Places for the requests that are being worked on, so that a ledger that is slow does not pile them up in memory. */
export interface Room {
  /** Takes a place, or says that there is none. What ends or stops something finds as many places again. */
  enter(urgent: boolean): boolean
  leave(): void
}

export const DEFAULT_REQUESTS_AT_ONCE = 1000

export function createRoom(places: number = DEFAULT_REQUESTS_AT_ONCE): Room {
  let taken = 0
  return {
    enter(urgent) {
      if (taken >= (urgent ? 2 * places : places)) return false
      taken += 1
      return true
    },
    leave() {
      taken -= 1
    },
  }
}
