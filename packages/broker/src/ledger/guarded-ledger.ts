import { HallpassError, isPromise, type Ledger, type MaybePromise } from '@hallpass/core'

/** The ledger with every throw and rejection turned into `ledger-unavailable`, which callers answer with 503. */
export function guardedLedger(ledger: Ledger): Ledger {
  const guard = <A extends readonly unknown[], R>(call: (...args: A) => MaybePromise<R>) => {
    return (...args: A): MaybePromise<R> => {
      try {
        const answer = call(...args)
        return isPromise(answer) ? answer.catch(broken) : answer
      } catch (cause) {
        return broken(cause)
      }
    }
  }
  return {
    exactFor: ledger.exactFor,
    get incarnation() {
      return ledger.incarnation
    },
    redeem: guard((request) => ledger.redeem(request)),
    settle: guard((reservation, outcome) => ledger.settle(reservation, outcome)),
    giveBack: guard((reservation, reason) => ledger.giveBack(reservation, reason)),
    now: guard(() => ledger.now()),
    openTask: guard((task, bounds) => ledger.openTask(task, bounds)),
    task: guard((txn) => ledger.task(txn)),
    registerGrant: guard((grant) => ledger.registerGrant(grant)),
    grant: guard((jti) => ledger.grant(jti)),
    noteRefusal: guard((txn) => ledger.noteRefusal(txn)),
    endTask: guard((txn, how, reason) => ledger.endTask(txn, how, reason)),
    revoke: guard((target, reason, options) => ledger.revoke(target, reason, options)),
    resume: guard((target, reason) => ledger.resume(target, reason)),
    sweep: guard(() => ledger.sweep()),
    markOnce: guard((key, until) => ledger.markOnce(key, until)),
    bindKey: guard((assertion, jkt, bounds) => ledger.bindKey(assertion, jkt, bounds)),
    sizes: guard(() => ledger.sizes()),
  }
}

function broken(cause: unknown): never {
  throw new HallpassError('ledger-unavailable', 'The ledger did not answer; check its store', { cause })
}
