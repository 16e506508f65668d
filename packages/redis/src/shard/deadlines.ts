import { unavailable } from './trouble.ts'

class Waiting {
  readonly until: number
  readonly fail: (error: Error) => void
  done = false

  constructor(until: number, fail: (error: Error) => void) {
    this.until = until
    this.fail = fail
  }
}

/** Fails every call that takes too long, with one timer for all: they all may take equally long. */
export class Deadlines {
  readonly #ms: number
  #waiting: Waiting[] = []
  #timer: ReturnType<typeof setTimeout> | undefined = undefined

  constructor(ms: number) {
    this.#ms = ms
  }

  guard<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting = new Waiting(performance.now() + this.#ms, reject)
      this.#waiting.push(waiting)
      if (this.#timer === undefined) this.#timer = setTimeout(() => this.#check(), this.#ms)
      work.then(
        (value) => {
          waiting.done = true
          resolve(value)
        },
        (error: unknown) => {
          waiting.done = true
          reject(error instanceof Error ? error : new Error('Redis failed', { cause: error }))
        },
      )
    })
  }

  #check(): void {
    const now = performance.now()
    const left: Waiting[] = []
    for (const waiting of this.#waiting) {
      if (waiting.done) continue
      if (waiting.until <= now) waiting.fail(unavailable(`did not answer within ${this.#ms} ms`))
      else left.push(waiting)
    }
    this.#waiting = left
    const first = left[0]
    this.#timer = first && setTimeout(() => this.#check(), Math.max(1, first.until - now))
  }
}
