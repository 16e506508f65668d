import { median } from '../timing/statistics.ts'
import type { Work } from '../timing/work.ts'
import { take } from '../suite/must.ts'
import { createLoad } from './load.ts'
import type { Load } from './load.ts'
import { holdGrant, ordersRequest } from './orders-request.ts'
import type { LoopDelay } from './loop-delay.ts'
import type { ServerKind } from './server-kind.ts'
import { startServer } from './start-server.ts'
import type { RunningServer } from './start-server.ts'

const CONNECTIONS = 32

/** A server under load. */
export interface Site extends RunningServer {
  readonly load: Load
}

export type Credential = 'bound' | 'unbound'

/** Requests to one site, and what the row has to say beside their cost. */
export interface SiteWork extends Work {
  detail(): Readonly<Record<string, number>>
}

export async function openSite(kind: ServerKind): Promise<Site> {
  const server = await startServer(kind)
  return { ...server, load: await createLoad(server.port, CONNECTIONS) }
}

/** The same requests, header for header, to whichever server. */
export function requesting(site: Site, credential: Credential): SiteWork {
  const held = site.grants[credential].map(holdGrant)
  const delays: LoopDelay[] = []
  const load = { waited: 0, wall: 0 }
  let requests: Buffer[] = []
  let next = 0
  return {
    cpu: () => site.cpu(),
    async prepare(operations) {
      requests = Array.from({ length: operations }, () => {
        next += 1
        return ordersRequest(take(held, next % held.length))
      })
      await site.loopDelay()
    },
    async run() {
      const [wall, waited] = [performance.now(), site.load.waited]
      const statuses = await site.load.send(requests)
      load.wall += performance.now() - wall
      load.waited += site.load.waited - waited
      if (!statuses.every((status) => status === 200))
        throw new Error('An honest request was refused while it was timed.')
    },
    async after() {
      delays.push(await site.loopDelay())
    },
    detail() {
      const loop = (of: keyof LoopDelay): number => round(median(delays.map((delay) => delay[of])))
      return {
        loopDelayP50Ms: loop('p50'),
        loopDelayP99Ms: loop('p99'),
        loopDelayMaxMs: round(Math.max(...delays.map(({ max }) => max))),
        loadBusyShare: round(1 - load.waited / load.wall),
      }
    },
  }
}

const round = (value: number): number => Number(value.toPrecision(3))
