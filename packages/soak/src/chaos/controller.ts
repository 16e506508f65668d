import { setTimeout as delay } from 'node:timers/promises'
import type { Death } from '../role/messages.ts'
import type { Member } from '../run/process.ts'
import type { Store } from '../store/store.ts'
import type { Proxy } from './proxy.ts'
import type { Random } from './random.ts'
import type { Revoker } from './revoker.ts'

export const FAULTS = [
  'replica killed after redeem',
  'replica killed in a handler',
  'replica killed giving back',
  'replica killed before settle',
  'replica killed at any time',
  'broker killed',
  'store stopped for 1 to 3 s',
  'connections to the store cut',
  'connections to a broker cut',
  'clock of an API stepped up to 5 min',
  'grant revoked',
  'task revoked',
  'agent revoked and resumed',
] as const
export type Fault = (typeof FAULTS)[number]

export interface Scene {
  readonly random: Random
  readonly store: Store
  readonly brokers: readonly Member[]
  readonly replicas: readonly Member[]
  readonly proxies: readonly Proxy[]
  readonly revoker: Revoker
  /** What a clock that was ahead leaves behind is not to be waited for: then clocks only fall back. */
  readonly clocksOnlyFallBack: boolean
}

export interface Chaos {
  readonly counts: Readonly<Record<Fault, number>>
  /** No new fault; resolves when what was stopped goes on. */
  stop(): Promise<void>
}

const SHORTEST_MS = 300
const LONGEST_MS = 2200
/** A replica that nobody calls does not come to where it is to die. In steps of 100 ms. */
const PATIENCE_STEPS = 80

/** Breaks something every now and then, in an order that the seed decides. The first of each kind is never killed: its memory is watched. */
export function startChaos(scene: Scene): Chaos {
  const counts = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>
  const faults = createFaults(scene)
  const underWay = new Set<Promise<void>>()
  const life = { isOver: false }
  let order: Fault[] = []

  /** Every kind comes once before one comes again. */
  const next = (): Fault => {
    if (order.length === 0) order = shuffled(FAULTS, scene.random)
    return order.pop() ?? 'grant revoked'
  }
  const loop = (async () => {
    while (!life.isOver) {
      await delay(scene.random.whole(SHORTEST_MS, LONGEST_MS))
      if (life.isOver) break
      const fault = next()
      const work = faults[fault]().then(
        (done) => {
          counts[fault] += done
        },
        () => {},
      )
      underWay.add(work)
      void work.finally(() => underWay.delete(work))
    }
  })()
  return {
    counts,
    async stop() {
      life.isOver = true
      await loop
      await Promise.all(underWay)
    },
  }
}

/** Each does one fault and says how many it did. */
function createFaults({
  random,
  store,
  brokers,
  replicas,
  proxies,
  revoker,
  clocksOnlyFallBack,
}: Scene): Record<Fault, () => Promise<number>> {
  const mortal = (members: readonly Member[]): Member | undefined =>
    random.pick(members.length > 1 ? members.slice(1) : members)
  /** A death at a point counts when it came. */
  const killedAt = async (where: Death): Promise<number> => {
    const replica = mortal(replicas)
    const before = replica?.deaths ?? 0
    replica?.say({ kind: 'die', where })
    const hasDied = () => (replica?.deaths ?? before) > before
    for (let waited = 0; waited < PATIENCE_STEPS && !hasDied(); waited++) await delay(100)
    // Later it would die when nobody is there any more to deliver what it leaves behind.
    replica?.say({ kind: 'die', where: undefined })
    await delay(500)
    return Number(hasDied())
  }
  const revoked = async (kind: 'grant' | 'task' | 'agent'): Promise<number> => Number(await revoker.revoke(kind))
  let isPaused = false
  return {
    'replica killed after redeem': () => killedAt('after-redeem'),
    'replica killed in a handler': () => killedAt('in-handler'),
    'replica killed giving back': () => killedAt('giving-back'),
    'replica killed before settle': () => killedAt('before-settle'),
    'replica killed at any time': async () => {
      mortal(replicas)?.kill()
      return 1
    },
    'broker killed': async () => {
      mortal(brokers)?.kill()
      return 1
    },
    'store stopped for 1 to 3 s': async () => {
      if (isPaused) return 0
      isPaused = true
      await store.pause(random.whole(1000, 3000)).finally(() => (isPaused = false))
      return 1
    },
    'connections to the store cut': async () => store.cut?.() ?? 0,
    'connections to a broker cut': async () => random.pick(proxies)?.cut(0.5, random) ?? 0,
    'clock of an API stepped up to 5 min': async () => {
      const replica = random.pick(replicas)
      const sign = clocksOnlyFallBack || random.chance(0.7) ? -1 : 1
      replica?.say({ kind: 'step', seconds: random.whole(30, 300) * sign })
      await delay(random.whole(1000, 3000))
      replica?.say({ kind: 'step', seconds: 0 })
      return 1
    },
    'grant revoked': () => revoked('grant'),
    'task revoked': () => revoked('task'),
    'agent revoked and resumed': () => revoked('agent'),
  }
}

function shuffled<T>(all: readonly T[], random: Random): T[] {
  const left = [...all]
  const mixed: T[] = []
  while (left.length > 0) mixed.push(...left.splice(random.whole(0, left.length - 1), 1))
  return mixed
}
