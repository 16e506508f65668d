import type { Ledger } from '@hallpass/core'
import { createLogReader, type LogReader } from './log-reader.ts'

/** One receiver that polls: where it is in the log, and what it was given. */
export interface Poll {
  readonly reader: LogReader
  /** Signed events by `jti` that were not acknowledged yet, of at most one page. */
  readonly open: Map<string, string>
  /** The page that is being made, for all who ask meanwhile. */
  filling: Promise<boolean> | undefined
}

/** The receivers that poll, by caller id: as many as are registered. */
export class Polls {
  readonly #ledger: Pick<Ledger, 'revocations'>
  readonly #polls = new Map<string, Poll>()

  constructor(ledger: Pick<Ledger, 'revocations'>) {
    this.#ledger = ledger
  }

  of(id: string): Poll {
    let poll = this.#polls.get(id)
    if (poll === undefined) {
      poll = { reader: createLogReader(this.#ledger), open: new Map(), filling: undefined }
      this.#polls.set(id, poll)
    }
    return poll
  }
}
