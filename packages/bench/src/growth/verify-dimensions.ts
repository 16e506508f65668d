import { ok, parameterDigest } from '@hallpass/core'
import type { Constraints, GrantClaims, JsonObject, Jwk } from '@hallpass/core'
import { createVerifier } from '@hallpass/verifier'
import type { IncomingCall } from '@hallpass/verifier'
import { take } from '../suite/must.ts'
import type { Work } from '../timing/work.ts'
import { openLedger, register, TASK } from '../world/bench-ledger.ts'
import { openBenchTrail } from '../world/bench-trail.ts'
import { createEs256Key, segment } from '../world/es256-key.ts'
import { createBenchIssuer } from '../world/grant.ts'
import { atOnce } from '../world/guarded-orders.ts'
import { createHolder } from '../world/holder.ts'
import { AUDIENCE } from '../world/orders-api.ts'
import { wireText } from '../world/wire-text.ts'
import type { Dimension, Grown } from './dimension.ts'
import { parameterName, wideApi } from './wide-api.ts'

const BATCH = 256
const USES_EACH = 64
const HEADER = segment({ alg: 'ES256', typ: 'at+jwt', kid: 'bench-1' })
const PATH = '/orders/123/notes'

/** A verifier, and grants for calls of one shape; what is not said is as little as there can be. */
interface Shape {
  readonly parameters?: JsonObject
  readonly constraints?: Constraints
  readonly limits?: number
  /** Present: calls come with a proof, which covers the body. */
  readonly bound?: true
  /** Keys in the issuer's set. */
  readonly keys?: number
  /** Tokens that take turns. */
  readonly tokens?: number
  /** Every token is a new one. */
  readonly cold?: true
}

const otherKeys = (count: number): Jwk[] =>
  Array.from({ length: count }, (_, index) => ({
    ...createEs256Key().jwk,
    kid: `other-${index}`,
    alg: 'ES256',
    use: 'sig',
  }))

function world({ parameters = {}, constraints, limits = 1, bound, keys = 1 }: Shape, cacheEntries: number) {
  const issuer = createBenchIssuer()
  const others = otherKeys(keys - 1)
  const ledger = openLedger()
  const trail = openBenchTrail()
  const verifier = createVerifier({
    api: wideApi(Object.keys(parameters).filter((name) => name !== 'text').length),
    issuer: { issuer: issuer.issuer, jwks: () => ({ keys: [...others, ...issuer.jwks().keys] }) },
    ledger,
    audit: trail,
    cacheEntries,
    acceptUnboundGrantsThatAnyHolderCanUse: true,
  })
  const holder = bound === undefined ? undefined : createHolder()
  const body = Object.keys(parameters).length === 0 ? undefined : JSON.stringify(parameters)
  const sent = body === undefined ? undefined : Buffer.from(body)
  const parameterRule = constraints === undefined ? { parameter_digest: parameterDigest(parameters) } : { constraints }
  const entryLimits = Array.from({ length: limits }, (_, index) => ({
    id: `calls-${index}`,
    per: 'grant' as const,
    max: 1_000_000_000,
  }))
  const fields = sent === undefined ? [] : ['Content-Type', 'application/json', 'Content-Length', String(sent.length)]
  return {
    trail,
    action: verifier.forAction('note.write'),
    token(): string {
      const { claims } = issuer.grant({
        txn: TASK,
        action: 'order.read',
        resource: 'order:123',
        calls: 1,
        ...(holder === undefined ? {} : { jkt: holder.key.jkt }),
      })
      const { type, locations, identifier } = claims.authorization_details[0]
      const entry = {
        type,
        locations,
        identifier,
        actions: ['note.write'] as const,
        limits: entryLimits,
        ...parameterRule,
      }
      const all: GrantClaims = { ...claims, authorization_details: [entry] }
      register(ledger, all)
      return issuer.key.sign(HEADER, all)
    },
    call(token: string): IncomingCall {
      const scheme = holder === undefined ? 'Bearer' : 'DPoP'
      const proof = holder?.proof({
        method: 'POST',
        url: AUDIENCE + PATH,
        token,
        ...(body === undefined ? {} : { body }),
      })
      const headers = ['Host', 'orders.example', ...fields, 'Authorization', wireText(`${scheme} ${token}`)]
      if (proof !== undefined) headers.push('DPoP', wireText(proof))
      const call: IncomingCall = { method: 'POST', target: PATH, headers, route: { id: '123' } }
      return sent === undefined ? call : { ...call, body: () => ok(Uint8Array.from(sent)) }
    },
  }
}

/** Verifies calls of one shape: the whole flow and its settling, in a ledger and with a trail. */
function verifying(shape: Shape): Grown {
  const tokens = shape.tokens ?? 64
  let current = world(shape, tokens)
  let held: string[] = []
  let uses = 0
  let calls: IncomingCall[] = []
  const run: Work['run'] = (operations) => {
    for (let done = 0; done < operations; done += 1) {
      const verdict = atOnce(current.action.verify(take(calls, done)))
      if (verdict.kind !== 'admitted') {
        const why = verdict.kind === 'refused' ? verdict.reason : verdict.kind
        throw new Error(`An honest call was not admitted while it was timed: ${why}.`)
      }
      void verdict.settle({ status: 200 })
    }
  }
  const fill = (): void => {
    current = world(shape, tokens)
    held = Array.from({ length: tokens }, () => current.token())
    for (const token of held) {
      calls = [current.call(token)]
      void run(1)
    }
    uses = 0
  }
  return {
    work: {
      batch: BATCH,
      prepare(operations) {
        if (held.length === 0 || uses > tokens * USES_EACH) fill()
        calls = Array.from({ length: operations }, (_, index) =>
          current.call(shape.cold === true ? current.token() : take(held, ((uses + index) * 7919) % tokens)),
        )
        uses += operations
      },
      run,
    },
    close: () => current.trail.close(),
  }
}

const WARM = 'a call with a token seen before, no proof'

const textOf = (bytes: number): JsonObject => (bytes === 0 ? {} : { text: 'x'.repeat(bytes - '{"text":""}'.length) })

const values = <T>(count: number, value: T): Record<string, T> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [parameterName(index), value]))

export const verifyDimensions: readonly Dimension[] = [
  {
    id: 'growth.tokens',
    of: 'cached tokens',
    work: WARM,
    sizes: [100, 1000, 10_000, 100_000],
    open: (tokens) => verifying({ tokens }),
  },
  {
    id: 'growth.keys',
    of: 'issuer keys',
    work: 'a call with a new token, no proof',
    // A set has at most 32: what comes after them is not read.
    sizes: [1, 10, 32],
    open: (keys) => verifying({ keys, cold: true }),
  },
  {
    id: 'growth.body',
    of: 'bytes of body',
    work: 'a call with a token seen before and a proof over the body',
    sizes: [0, 1024, 4096, 16_384, 65_536],
    open: (bytes) => verifying({ bound: true, parameters: textOf(bytes) }),
  },
  {
    id: 'growth.parameters',
    of: 'parameters',
    work: `${WARM}; parameters as granted, by their digest`,
    sizes: [0, 1, 10, 50],
    open: (count) => verifying({ parameters: values(count, 'some-value') }),
  },
  {
    id: 'growth.constraints',
    of: 'constraints',
    work: `${WARM}; each parameter one of two values`,
    sizes: [1, 10, 50],
    open: (count) =>
      verifying({
        parameters: values(count, 'some-value'),
        constraints: values(count, { one_of: ['another', 'some-value'] }),
      }),
  },
  {
    id: 'growth.limits',
    of: 'limits',
    work: WARM,
    sizes: [1, 4, 16],
    open: (limits) => verifying({ limits }),
  },
]
