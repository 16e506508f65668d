import { HallpassError } from '@hallpass/core'

export interface BatcherOptions<I, O> {
  /** Sends one batch; the answers come in its order. A throw fails every item of it. */
  readonly send: (items: readonly I[]) => Promise<readonly O[]>
  /** Items waiting beyond this are refused at once. */
  readonly maxWaiting: number
  readonly maxPerBatch: number
  /** What an item weighs: a batch has one item, or as many as are not too heavy together. */
  readonly weigh?: (item: I) => number
  readonly maxWeight?: number
  /** Batches on the way at one time. */
  readonly maxInFlight: number
}

export interface Batcher<I, O> {
  add(item: I): Promise<O>
  /** Resolves when nothing waits and nothing is on the way. */
  drained(): Promise<void>
}

interface Waiting<I, O> {
  readonly item: I
  readonly weight: number
  readonly resolve: (value: O) => void
  readonly reject: (reason: HallpassError) => void
}

/** Joins what is asked for within one turn of the event loop into one request. Bounded: what does not fit is refused. */
export function createBatcher<I, O>({
  send,
  maxWaiting,
  maxPerBatch,
  weigh = () => 0,
  maxWeight = Number.POSITIVE_INFINITY,
  maxInFlight,
}: BatcherOptions<I, O>): Batcher<I, O> {
  const waiting: Waiting<I, O>[] = []
  const inFlight = new Set<Promise<void>>()
  let scheduled = false

  const deliver = async (batch: readonly Waiting<I, O>[]): Promise<void> => {
    try {
      const answers = await send(batch.map(({ item }) => item))
      if (answers.length !== batch.length)
        throw unavailable('The broker answered another number of calls than it was sent')
      for (const [index, { resolve }] of batch.entries()) resolve(answers[index] as O)
    } catch (error) {
      const reason = error instanceof HallpassError ? error : unavailable('The broker could not be asked')
      for (const { reject } of batch) reject(reason)
    }
  }

  const takeBatch = (): readonly Waiting<I, O>[] => {
    let count = 0
    let weight = 0
    for (const { weight: own } of waiting) {
      if (count >= maxPerBatch || (count > 0 && weight + own > maxWeight)) break
      count += 1
      weight += own
    }
    return waiting.splice(0, count)
  }

  const flush = (): void => {
    scheduled = false
    while (waiting.length > 0 && inFlight.size < maxInFlight) {
      const sent = deliver(takeBatch())
      inFlight.add(sent)
      void sent.finally(() => {
        inFlight.delete(sent)
        flush()
      })
    }
  }

  return {
    async add(item) {
      if (waiting.length >= maxWaiting) throw unavailable('Too many calls wait for the broker')
      return new Promise<O>((resolve, reject) => {
        waiting.push({ item, weight: weigh(item), resolve, reject })
        if (scheduled) return
        scheduled = true
        afterThisTurn(flush)
      })
    },
    async drained() {
      while (waiting.length > 0 || inFlight.size > 0) {
        await new Promise<void>((resolve) => afterThisTurn(resolve))
        await Promise.all(inFlight)
      }
    },
  }
}

const unavailable = (what: string) => new HallpassError('ledger-unavailable', what)

/** After the events of this turn: on Node that joins every request read in it; elsewhere a task is as close as it gets. */
function afterThisTurn(run: () => void): void {
  if (typeof globalThis.setImmediate === 'function') globalThis.setImmediate(run)
  else setTimeout(run, 0)
}
