import { holdGrant, ordersRequest, withoutCredential } from '../http/orders-request.ts'
import { pinLoad } from '../http/pin.ts'
import type { HandedGrant, ServerKind } from '../http/server-kind.ts'
import { openSite, requesting } from '../http/site.ts'
import type { Credential, Site, SiteWork } from '../http/site.ts'
import type { RowAim } from '../row/row-aim.ts'
import { must } from './must.ts'
import type { Entry, Suite } from './suite.ts'

interface Kind {
  readonly id: string
  readonly aim: number | null
  readonly server: ServerKind
  readonly against: ServerKind
  readonly credential: Credential
  readonly work: string
}

const FULL = 'everything on, audit trail in a chained file; '
const kinds: readonly Kind[] = [
  {
    id: 'http.express.warm.dpop',
    aim: 0.8,
    server: 'express.hallpass',
    against: 'express.verify',
    credential: 'bound',
    work: `${FULL}proof per request`,
  },
  {
    id: 'http.express.warm.bearer',
    aim: 0.9,
    server: 'express.hallpass',
    against: 'express.open',
    credential: 'unbound',
    work: `${FULL}unbound grant`,
  },
  {
    id: 'http.fastify.warm.dpop',
    aim: 0.75,
    server: 'fastify.hallpass',
    against: 'fastify.verify',
    credential: 'bound',
    work: `${FULL}proof per request`,
  },
  {
    id: 'http.fastify.warm.bearer',
    aim: 0.6,
    server: 'fastify.hallpass',
    against: 'fastify.open',
    credential: 'unbound',
    work: `${FULL}unbound grant`,
  },
  {
    id: 'peer.express-oauth2-jwt-bearer.http.dpop',
    aim: null,
    server: 'express.oauth2-dpop',
    against: 'express.verify',
    credential: 'bound',
    work: 'token and proof, no replay memory',
  },
  {
    id: 'peer.express-oauth2-jwt-bearer.http.bearer',
    aim: null,
    server: 'express.oauth2',
    against: 'express.open',
    credential: 'unbound',
    work: 'token only',
  },
  {
    id: 'peer.express-jwt.http.bearer',
    aim: null,
    server: 'express.express-jwt',
    against: 'express.open',
    credential: 'unbound',
    work: 'token only',
  },
  {
    id: 'peer.fastify-jwt.http.bearer',
    aim: null,
    server: 'fastify.jwt-cache',
    against: 'fastify.open',
    credential: 'unbound',
    work: 'token only, its cache',
  },
]

const NAMES: Partial<Record<ServerKind, string>> = {
  'express.open': 'Express without auth',
  'express.verify': 'Express + one ES256 verify',
  'fastify.open': 'Fastify without auth',
  'fastify.verify': 'Fastify + one ES256 verify',
}

/** The guard on the wire: honest requests pass, everything else is refused, and by the right status. */
async function checkSite({ load, grants }: Site, { server, credential }: Kind): Promise<void> {
  const send = async (request: Buffer): Promise<number> => (await load.send([request]))[0] ?? 0
  const is = async (request: Buffer, status: number, why: string): Promise<void> => {
    const got = await send(request)
    must(got === status, `${why} gets ${status} (it gets ${got})`)
  }
  const hold = (grant: HandedGrant | undefined) => holdGrant(grant ?? { token: '' })
  const honest = hold(grants[credential][0])
  const request = ordersRequest(honest)
  await is(request, 200, 'an honest request')
  must((await send(withoutCredential())) !== 200, 'a request without a credential is refused')
  const cut = honest.token.length - 20
  const other = honest.token[cut] === 'A' ? 'B' : 'A'
  const forged = { ...honest, token: honest.token.slice(0, cut) + other + honest.token.slice(cut + 1) }
  must((await send(ordersRequest(forged))) === 401, 'an altered token is refused')
  if (credential === 'bound') {
    must((await send(ordersRequest(honest, '/orders/123', '/orders/124'))) >= 400, 'a proof for another URL is refused')
    must((await send(ordersRequest(hold(grants.expired)))) === 401, 'an expired grant is refused')
  }
  if (!server.endsWith('.hallpass')) return
  await is(ordersRequest(honest, '/orders/999'), 403, 'another resource')
  if (credential === 'unbound') return
  await is(request, 401, 'a replayed proof')
  const single = hold(grants.single)
  await is(ordersRequest(hold(grants.revoked)), 401, 'a revoked grant')
  await is(ordersRequest(single), 200, 'the only use of a grant')
  await is(ordersRequest(single), 401, 'a spent grant')
}

/** An unguarded baseline lets everybody in: what it has to show is that it serves. */
async function checkBaseline({ load, grants }: Site): Promise<void> {
  const [grant] = grants.unbound
  const [status] = await load.send([ordersRequest(holdGrant(grant ?? { token: '' }))])
  must(status === 200, 'the baseline serves')
}

export const http: Suite = {
  rows: kinds.map(({ id, aim, against, work }): RowAim => ({
    id,
    aim,
    better: 'higher',
    measure: 'wall',
    baseline: NAMES[against] ?? against,
    work,
  })),
  pace: {
    full: { rounds: 25, slice: 300, baselineSlice: 150, warmUp: 4000 },
    quick: { rounds: 3, slice: 100, baselineSlice: 60, warmUp: 300 },
  },
  open: async (chosen) => {
    const wanted = kinds.filter(({ id }) => chosen.has(id))
    const names = [...new Set(wanted.flatMap(({ server, against }) => [server, against]))]
    const sites = new Map<ServerKind, Site>()
    const unpin = pinLoad()
    const close = async (): Promise<void> => {
      unpin()
      for (const site of sites.values()) {
        site.load.close()
        site.stop()
      }
    }
    try {
      for (const name of names) {
        sites.set(name, await openSite(name))
      }
      const siteOf = (name: ServerKind): Site => {
        const site = sites.get(name)
        if (site === undefined) throw new Error(`The server ${name} was not started.`)
        return site
      }
      const baselines = new Map<string, SiteWork>()
      const entries = wanted.map((kind): Entry => {
        const [own, base] = [siteOf(kind.server), siteOf(kind.against)]
        const key = `${kind.against} ${kind.credential}`
        const baseline = baselines.get(key) ?? requesting(base, kind.credential)
        baselines.set(key, baseline)
        const work = requesting(own, kind.credential)
        return {
          id: kind.id,
          async check() {
            await checkBaseline(base)
            await checkSite(own, kind)
          },
          work,
          baseline,
          detail: () => work.detail(),
        }
      })
      return { entries, close }
    } catch (error) {
      await close()
      throw error
    }
  },
}
