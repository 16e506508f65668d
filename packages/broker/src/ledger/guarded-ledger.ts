import { HallpassError, isPromise, type Ledger, type MaybePromise } from '@hallpass/core'

/** A ledger that has not answered a request by then is not there. Ends and revocations are waited for. */
export const LEDGER_TIMEOUT_MS = 5000

/** The ledger with every throw, rejection and silence turned into `ledger-unavailable`, which callers answer with 503. */
export function guardedLedger(ledger: Ledger): Ledger {
  return {
    exactFor: ledger.exactFor,
    get incarnation() {
      return ledger.incarnation
    },
    redeem: guard((request) => ledger.redeem(request), timely),
    settle: guard((reservation, outcome) => ledger.settle(reservation, outcome), timely),
    giveBack: guard((reservation, reason) => ledger.giveBack(reservation, reason), timely),
    now: guard(() => ledger.now(), timely),
    openTask: guard((task, bounds) => ledger.openTask(task, bounds), timely),
    task: guard((txn) => ledger.task(txn), timely),
    registerGrant: guard((grant) => ledger.registerGrant(grant), timely),
    grant: guard((jti) => ledger.grant(jti), timely),
    noteRefusal: guard((txn) => ledger.noteRefusal(txn), timely),
    markOnce: guard((key, until) => ledger.markOnce(key, until), timely),
    bindKey: guard((assertion, jkt, bounds) => ledger.bindKey(assertion, jkt, bounds), timely),
    sizes: guard(() => ledger.sizes(), timely),
    endTask: guard((txn, how, reason) => ledger.endTask(txn, how, reason), patient),
    revoke: guard((target, reason, options) => ledger.revoke(target, reason, options), patient),
    resume: guard((target, reason) => ledger.resume(target, reason), patient),
    reserveStatus: guard((series, size) => ledger.reserveStatus(series, size), timely),
    revocations: guard((from) => ledger.revocations(from), timely),
    ...(ledger.watch && { watch: (wake) => ledger.watch?.(wake) ?? (() => undefined) }),
    sweep: guard(() => ledger.sweep(), patient),
  }
}

type Wait = <R>(answer: Promise<R>) => Promise<R>

function guard<A extends readonly unknown[], R>(call: (...args: A) => MaybePromise<R>, wait: Wait) {
  return (...args: A): MaybePromise<R> => {
    try {
      const answer = call(...args)
      return isPromise(answer) ? wait(answer).catch(broken) : answer
    } catch (cause) {
      return broken(cause)
    }
  }
}

const patient: Wait = (answer) => answer

function timely<R>(answer: Promise<R>): Promise<R> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('timeout')), LEDGER_TIMEOUT_MS)
  })
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}

function broken(cause: unknown): never {
  throw new HallpassError('ledger-unavailable', 'The ledger did not answer; check its store', { cause })
}
