import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { WeighAnswer, WeighOrder } from './weigh.ts'
import type { Weight } from './weight.ts'

/** Largest heap of a process that weighs. */
const HEAP_MEBIBYTES = 8192

/** Weighs in a process of its own. Throws where it ends without an answer, or finds that a promise does not hold. */
export async function weighApart(order: WeighOrder): Promise<Weight> {
  const main = process.argv[1]
  if (main === undefined) throw new Error('The bench does not know its own file.')
  const child = fork(main, ['weigh'], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [`--max-old-space-size=${HEAP_MEBIBYTES}`],
  })
  const gone = new AbortController()
  const ended = once(child, 'exit', { signal: gone.signal }).then(([code]): never => {
    throw new Error(`A process that weighs ended with ${String(code)}.`)
  })
  try {
    const answered = once(child, 'message', { signal: gone.signal })
    child.send(order)
    const [answer] = (await Promise.race([answered, ended])) as [WeighAnswer]
    if ('problem' in answer) throw new Error(answer.problem)
    return answer.weight
  } finally {
    ended.catch(() => undefined)
    gone.abort()
    child.kill()
  }
}
