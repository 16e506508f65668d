import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { processorTime } from '../process/processor-time.ts'
import type { FeedBroker } from './feed-broker.ts'
import type { FollowAnswer, FollowOrder } from './follow.ts'
import { monotonicMs } from './follow.ts'

/** Verifiers that follow one broker, in processes of their own. */
export interface Followers {
  /** Milliseconds from `revoke()` to each verifier's first refusal. */
  revoke(broker: FeedBroker): Promise<readonly number[]>
  /** Processor time of all of them, in milliseconds; NaN where the system does not tell. */
  cpu(): number
  stop(): void
}

const MOST_IN_ONE = 25

export async function startFollowers(broker: FeedBroker, verifiers: number): Promise<Followers> {
  const main = process.argv[1]
  if (main === undefined) throw new Error('The bench does not know its own file.')
  const processes = Math.ceil(verifiers / MOST_IN_ONE)
  const { issuer, apiKey } = broker
  const children = await Promise.all(
    Array.from({ length: processes }, async (_, index) => {
      const child = fork(main, ['follow'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
      const own = Math.floor((verifiers + index) / processes)
      await tell(child, { start: { issuer, apiKey, verifiers: own } })
      return child
    }),
  )
  return {
    async revoke(from) {
      const { token, jti } = await from.grant()
      await Promise.all(children.map(async (child) => tell(child, { watch: token })))
      const refused = children.map(answerOf)
      const started = monotonicMs()
      await from.broker.revoke({ kind: 'grant', jti }, 'bench')
      return (await Promise.all(refused)).flat().map((at) => at - started)
    },
    cpu: () => children.reduce((sum, { pid }) => sum + (processorTime(pid) ?? Number.NaN), 0),
    stop() {
      for (const child of children) child.disconnect()
    },
  }
}

async function tell(child: ChildProcess, order: FollowOrder): Promise<FollowAnswer> {
  const answer = answerOf(child)
  child.send(order)
  return answer
}

const LATE_MS = 30_000

async function answerOf(child: ChildProcess): Promise<FollowAnswer> {
  const gone = new AbortController()
  const signal = AbortSignal.any([AbortSignal.timeout(LATE_MS), gone.signal])
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`A process of verifiers ended with ${String(code)}.`)
  })
  try {
    const [answer] = (await Promise.race([once(child, 'message', { signal }), ended])) as [FollowAnswer]
    return answer
  } finally {
    ended.catch(() => undefined)
    gone.abort()
  }
}
