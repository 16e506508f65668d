import { HallpassError } from '@hallpass/core'
import { StatementBroken, unavailable } from './server.ts'

interface Waiting<Item, Answer> {
  readonly item: Item
  readonly since: number
  readonly answer: (answer: Answer) => void
  readonly fail: (error: unknown) => void
}

export interface GroupOptions<Item, Answer> {
  /** Answers every item, in order. */
  readonly run: (items: readonly Item[]) => Promise<readonly Answer[]>
  readonly groupSize: number
  readonly groupsAtOnce: number
  readonly maxWaiting: number
  readonly timeoutMs: number
}

/** Collects what is asked within one turn of the event loop, and while earlier groups are under way, into one call. */
export class Groups<Item, Answer> {
  readonly #options: GroupOptions<Item, Answer>
  #waiting: Waiting<Item, Answer>[] = []
  #underWay = 0
  #scheduled = false

  constructor(options: GroupOptions<Item, Answer>) {
    this.#options = options
  }

  async add(item: Item): Promise<Answer> {
    if (this.#waiting.length >= this.#options.maxWaiting) throw unavailable('Too many operations wait for PostgreSQL')
    return new Promise<Answer>((answer, fail) => {
      this.#waiting.push({ item, since: performance.now(), answer, fail })
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0 || this.#underWay >= this.#options.groupsAtOnce) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#start()
      this.#schedule()
    })
  }

  #start(): void {
    const tooOld = performance.now() - this.#options.timeoutMs
    const group = this.#waiting.splice(0, this.#options.groupSize)
    const inTime = group.filter(({ since, fail }) => {
      if (since < tooOld) fail(unavailable('PostgreSQL is too slow for what is asked of it'))
      return since >= tooOld
    })
    if (inTime.length === 0) return
    this.#underWay += 1
    void this.#run(inTime).finally(() => {
      this.#underWay -= 1
      this.#schedule()
    })
  }

  async #run(group: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.#options.run(group.map(({ item }) => item))
      for (const [index, { answer, fail }] of group.entries()) {
        const own = answers[index]
        if (own === undefined) fail(unavailable('PostgreSQL answered what no schema of ours does'))
        else answer(own)
      }
    } catch (error) {
      // One that the server does not take must not fail the others.
      if (error instanceof StatementBroken && group.length > 1) for (const each of group) await this.#run([each])
      else for (const { fail } of group) fail(asFault(error))
    }
  }
}

/** Whatever a client throws, a ledger throws a fault; `DatabaseFull` is the caller's to translate. */
function asFault(error: unknown): unknown {
  return error instanceof StatementBroken || !(error instanceof Error)
    ? unavailable('PostgreSQL did not take the statement', error instanceof HallpassError ? error : Object(error).cause)
    : error
}
