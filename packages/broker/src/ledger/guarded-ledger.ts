import { HallpassError, isPromise, type Ledger, type MaybePromise, type Telemetry } from '@hallpass/core'

/** A ledger that has not answered a request by then is not there. Ends and revocations are waited for. */
export const LEDGER_TIMEOUT_MS = 5000

/** The ledger with every throw, rejection and silence turned into `ledger-unavailable`, which callers answer with 503. */
export function guardedLedger(ledger: Ledger, telemetry?: Telemetry): Ledger {
  const guard = <A extends readonly unknown[], R>(
    operation: string,
    call: (...args: A) => MaybePromise<R>,
    wait: Wait,
  ) =>
    guarded(call, wait, (cause) => {
      telemetry?.count('hallpass.ledger.errors', 1, { 'hallpass.operation': operation })
      return broken(cause)
    })
  return {
    exactFor: ledger.exactFor,
    get incarnation() {
      return ledger.incarnation
    },
    redeem: guard('redeem', (request) => ledger.redeem(request), timely),
    settle: guard('settle', (reservation, outcome) => ledger.settle(reservation, outcome), timely),
    giveBack: guard('giveBack', (reservation, reason) => ledger.giveBack(reservation, reason), timely),
    now: guard('now', () => ledger.now(), timely),
    openTask: guard('openTask', (task, bounds) => ledger.openTask(task, bounds), timely),
    task: guard('task', (txn) => ledger.task(txn), timely),
    registerGrant: guard('registerGrant', (grant) => ledger.registerGrant(grant), timely),
    grant: guard('grant', (jti) => ledger.grant(jti), timely),
    noteRefusal: guard('noteRefusal', (txn) => ledger.noteRefusal(txn), timely),
    markOnce: guard('markOnce', (key, until) => ledger.markOnce(key, until), timely),
    bindKey: guard('bindKey', (assertion, jkt, bounds) => ledger.bindKey(assertion, jkt, bounds), timely),
    sizes: guard('sizes', () => ledger.sizes(), timely),
    endTask: guard('endTask', (txn, how, reason) => ledger.endTask(txn, how, reason), patient),
    revoke: guard('revoke', (target, reason, options) => ledger.revoke(target, reason, options), patient),
    resume: guard('resume', (target, reason) => ledger.resume(target, reason), patient),
    reserveStatus: guard('reserveStatus', (series, size) => ledger.reserveStatus(series, size), timely),
    revocations: guard('revocations', (from) => ledger.revocations(from), timely),
    ...(ledger.watch && { watch: (wake) => ledger.watch?.(wake) ?? (() => undefined) }),
    use: guard('use', (reservation) => ledger.use(reservation), timely),
    acknowledge: guard('acknowledge', (receipt) => ledger.acknowledge(receipt), patient),
    sweep: guard('sweep', () => ledger.sweep(), patient),
  }
}

type Wait = <R>(answer: Promise<R>) => Promise<R>

function guarded<A extends readonly unknown[], R>(
  call: (...args: A) => MaybePromise<R>,
  wait: Wait,
  fail: (cause: unknown) => never,
) {
  return (...args: A): MaybePromise<R> => {
    try {
      const answer = call(...args)
      return isPromise(answer) ? wait(answer).catch(fail) : answer
    } catch (cause) {
      return fail(cause)
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
