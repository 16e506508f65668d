import type { MaybePromise, Outcome, RedeemAnswer, RedeemRequest, UseLedger } from '@hallpass/core'

/** A ledger that answers what it was told to and remembers what it was asked. */
export function scriptedLedger(answer?: (request: RedeemRequest) => MaybePromise<RedeemAnswer>) {
  const requests: RedeemRequest[] = []
  const settled: { reservation: string; outcome: Outcome }[] = []
  const givenBack: { reservation: string; reason: string }[] = []
  const ledger = {
    exactFor: 'one-process' as const,
    requests,
    settled,
    givenBack,
    redeem(request: RedeemRequest): MaybePromise<RedeemAnswer> {
      requests.push(request)
      const first = {
        ok: true,
        state: 'first',
        reservation: `res_${requests.length}`,
        at: request.iat,
        usesLeft: 0,
      } as const
      return answer === undefined ? first : answer(request)
    },
    settle(reservation: string, outcome: Outcome): MaybePromise<void> {
      settled.push({ reservation, outcome })
    },
    giveBack(reservation: string, reason: string): MaybePromise<boolean> {
      givenBack.push({ reservation, reason })
      return true
    },
  }
  return ledger satisfies UseLedger
}
