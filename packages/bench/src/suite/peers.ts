import { bareVerify } from '../baseline/bare-crypto.ts'
import type { Presented, TokenPeer } from '../peer/token-peers.ts'
import { expressJwt, fastJwt, joseBearer, joseDpop, oauth2JwtBearer, oauth2JwtBearerDpop } from '../peer/token-peers.ts'
import type { RowAim } from '../row/row-aim.ts'
import type { Measure } from '../timing/statistics.ts'
import type { Work } from '../timing/work.ts'
import { createBenchIssuer } from '../world/grant.ts'
import type { BenchIssuer } from '../world/grant.ts'
import { PATH } from '../world/agent-call.ts'
import { AUDIENCE } from '../world/orders-api.ts'
import { createPresenter } from '../world/presenter.ts'
import type { Presenter } from '../world/presenter.ts'
import { wireText } from '../world/wire-text.ts'
import { must, mustThrow, take } from './must.ts'
import type { Entry, Suite } from './suite.ts'

const row = (id: string, work: string, measure: Measure = 'wall'): RowAim => ({
  id,
  aim: null,
  better: 'lower',
  measure,
  baseline: 'ES256 verify',
  work,
})

/** Requests that are made ready at a time, as for the verifier. */
const BATCH = 256

interface Kind {
  readonly row: RowAim
  readonly bound: boolean
  readonly fresh: boolean
  readonly expired?: true
  readonly open: (issuer: BenchIssuer) => Promise<TokenPeer> | TokenPeer
}

const kinds: readonly Kind[] = [
  {
    row: row('peer.fast-jwt.warm', 'token seen before, its cache; token only', 'cpu'),
    bound: false,
    fresh: false,
    open: (issuer) => fastJwt(issuer, true),
  },
  {
    row: row('peer.fast-jwt.cold', 'no cache; token only', 'cpu'),
    bound: false,
    fresh: true,
    open: (issuer) => fastJwt(issuer, false),
  },
  { row: row('peer.express-jwt.bearer', 'token only'), bound: false, fresh: true, open: expressJwt },
  { row: row('peer.jose.bearer', 'jwtVerify; token only'), bound: false, fresh: true, open: joseBearer },
  { row: row('peer.express-oauth2-jwt-bearer.bearer', 'token only'), bound: false, fresh: true, open: oauth2JwtBearer },
  {
    row: row('peer.express-oauth2-jwt-bearer.dpop', 'token and proof, no replay memory, key seen before'),
    bound: true,
    fresh: true,
    open: oauth2JwtBearerDpop,
  },
  {
    row: row('peer.jose.dpop', 'token and proof by hand, no replay memory, key seen before'),
    bound: true,
    fresh: true,
    open: joseDpop,
  },
  {
    row: row('peer.fast-jwt.expired', 'refusing an expired token', 'cpu'),
    bound: false,
    fresh: true,
    expired: true,
    open: (issuer) => fastJwt(issuer, false),
  },
]

function present(presenter: Presenter, ttl?: number): Presented {
  const held = presenter.hold(ttl === undefined ? {} : { ttl })
  const { token } = held.grant
  const proof = held.holder?.proof({ method: 'GET', url: AUDIENCE + PATH, token }) ?? ''
  return { method: 'GET', path: PATH, token: wireText(token), proof: wireText(proof) }
}

function workOf(peer: TokenPeer, presenter: Presenter, { fresh, expired }: Kind): Work {
  const pool = fresh ? [] : Array.from({ length: 64 }, () => present(presenter))
  let requests: Presented[] = []
  const permits = expired !== true
  return {
    batch: BATCH,
    prepare(operations) {
      requests = Array.from({ length: operations }, (_, index) => {
        if (fresh) return present(presenter, expired ? -1 : undefined)
        const request = take(pool, index % pool.length)
        return { ...request, token: wireText(request.token) }
      })
    },
    async run(operations) {
      for (let done = 0; done < operations; done++) {
        let permitted = true
        try {
          const answer = peer(take(requests, done))
          if (answer !== undefined) await answer
        } catch {
          permitted = false
        }
        if (permitted !== permits) throw new Error('A peer answered the wrong way while it was timed.')
      }
    },
  }
}

/** The peer permits the honest token, and refuses it expired, altered, and, where it takes proofs, with another's proof. */
async function checkPeer(peer: TokenPeer, presenter: Presenter): Promise<void> {
  const honest = present(presenter)
  await peer(honest)
  must(true, 'the honest token is permitted')
  await mustThrow(() => peer(present(presenter, -60)), 'an expired token is refused')
  const cut = honest.token.length - 20
  const other = honest.token[cut] === 'A' ? 'B' : 'A'
  const altered = honest.token.slice(0, cut) + other + honest.token.slice(cut + 1)
  await mustThrow(() => peer({ ...honest, token: altered }), 'an altered token is refused')
  if (presenter.bound) {
    await mustThrow(() => peer({ ...honest, method: 'POST' }), 'a proof for another method is refused')
    await mustThrow(() => peer({ ...honest, proof: present(presenter).proof }), "another token's proof is refused")
  }
}

export const peers: Suite = {
  rows: kinds.map((kind) => kind.row),
  open: async (chosen) => {
    const issuer = createBenchIssuer()
    const baseline = bareVerify(issuer.key, createPresenter(issuer, 1).hold().grant.token)
    const entries: Entry[] = []
    for (const kind of kinds.filter(({ row: { id } }) => chosen.has(id))) {
      const peer = await kind.open(issuer)
      const presenter = createPresenter(issuer, kind.bound ? 64 : 'none')
      entries.push({
        id: kind.row.id,
        check: () => checkPeer(peer, presenter),
        work: workOf(peer, presenter, kind),
        baseline,
      })
    }
    return { entries }
  },
}
