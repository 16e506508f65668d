import { feedEvents } from '@hallpass/core'
import type { FeedRun } from '@hallpass/core'
import type { LocalIssuer } from '@hallpass/verifier'
import { segment } from '../world/es256-key.ts'
import type { BenchIssuer } from '../world/grant.ts'
import { AUDIENCE, ISSUER } from '../world/orders-api.ts'

/** Statuses in one list, as the broker makes them. */
const LIST = 2 ** 17
/** As many as a broker puts into one. */
const INDEXES_PER_MESSAGE = 500

export const listOf = (index: number): { readonly uri: string; readonly idx: number } => ({
  uri: `${ISSUER}/status/mem_bench-big-${Math.floor(index / LIST)}`,
  idx: index % LIST,
})

/** A broker that has this many living grants, of which one in `step` is dead, and says so in its feed. */
export function bigFeed(issuer: BenchIssuer, { grants, step }: { grants: number; step: number }): LocalIssuer {
  const header = segment({ alg: 'ES256', typ: 'secevent+jwt', kid: 'bench-1' })
  const text = new TextEncoder()
  const message = (from: number): { readonly data: Uint8Array; readonly next: number } => {
    const now = Date.now() / 1000
    const dead = new Map<string, number[]>()
    let next = from
    for (let count = 0; count < INDEXES_PER_MESSAGE && next < grants; count += 1, next += step) {
      const { uri, idx } = listOf(next)
      const list = dead.get(uri)
      if (list === undefined) dead.set(uri, [idx])
      else list.push(idx)
    }
    const run: FeedRun = {
      incarnation: 'mem_bench',
      prev: from === 0 ? null : String(from),
      cursor: String(next),
      at: now,
      complete: next >= grants,
      dead: [...dead].map(([uri, idx]) => ({ uri, until: now + 900, idx })),
    }
    const claims = { iss: ISSUER, aud: AUDIENCE, iat: now, jti: `set_${from}`, events: feedEvents(run) }
    return { data: text.encode(`data: ${issuer.key.sign(header, claims)}\n\n`), next }
  }
  return {
    issuer: ISSUER,
    jwks: () => issuer.jwks(),
    async fetch(request) {
      if (request.url.endsWith('/token')) {
        return Response.json({ access_token: 'x', token_type: 'DPoP', expires_in: 300 })
      }
      let at = 0
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          // Stays open when everything is told: the feed goes on.
          if (at >= grants) return
          const { data, next } = message(at)
          at = next
          controller.enqueue(data)
        },
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    },
  }
}
