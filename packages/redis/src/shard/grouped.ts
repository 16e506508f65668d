import { listOf, textOf } from '../ops/answers.ts'

/** Most asks of one call: a server stands still for no longer than these take, and the next group is on its way. */
const MOST = 16

class Waiting {
  readonly text: string
  readonly resolve: (answer: string) => void
  readonly reject: (error: unknown) => void

  constructor(text: string, resolve: (answer: string) => void, reject: (error: unknown) => void) {
    this.text = text
    this.resolve = resolve
    this.reject = reject
  }
}

/** After everything that came in with this turn of the event loop. */
const soon: (run: () => void) => unknown =
  typeof setImmediate === 'function' ? (run) => setImmediate(run) : (run) => queueMicrotask(run)

/** Sends the redeems of one turn of the event loop together. Each is atomic by itself and answered by itself. */
export class Grouped {
  readonly #run: (asks: readonly string[]) => Promise<unknown>
  #waiting: Waiting[] = []

  constructor(run: (asks: readonly string[]) => Promise<unknown>) {
    this.#run = run
  }

  ask(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(new Waiting(text, resolve, reject))
      if (this.#waiting.length === MOST) this.#send()
      else if (this.#waiting.length === 1) soon(() => this.#send())
    })
  }

  #send(): void {
    const group = this.#waiting
    if (group.length === 0) return
    this.#waiting = []
    const texts = group.map(({ text }) => text)
    this.#answers(texts).then(
      (answers) => group.forEach(({ resolve }, index) => resolve(answers[index] ?? '')),
      (error: unknown) => group.forEach(({ reject }) => reject(error)),
    )
  }

  async #answers(texts: readonly string[]): Promise<readonly string[]> {
    const answer = await this.#run(texts)
    if (answer === 'N ledger-full') return texts.map(() => answer)
    const answers = listOf(answer)
    return texts.map((_, index) => textOf(answers[index]))
  }
}
