import type { TokenSource } from '@hallpass/core'
import { decimal, defineApi, oidc } from '@hallpass/core'
import { defaultTriggers, definePolicy } from '@hallpass/policy'
import type { TestWorld } from '@hallpass/testing'
import { testWorld } from '@hallpass/testing'
import type { Verifier } from '@hallpass/verifier'
import { guard } from '@hallpass/verifier'
import { z } from 'zod'
import type { ClientOptions } from '../src/client/client-options.ts'
import { createClient } from '../src/client/create-client.ts'

export const orders = defineApi({
  audience: 'https://orders.test',
  actions: {
    'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' },
    'order.lines': {
      route: 'GET /orders/{id}/lines',
      resource: 'order:{id}',
      risk: 'read',
      parameters: z.object({ search: z.string(), page: z.string().optional() }),
    },
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ amount: decimal({ unit: 'EUR' }), note: z.string().optional() }),
    },
    'order.cancel': { route: 'POST /orders/{id}/cancel', resource: 'order:{id}', risk: 'critical' },
    'report.write': { resource: 'report:{name}', risk: 'write', parameters: z.object({ text: z.string() }) },
  },
})

export const stock = defineApi({
  audience: 'https://stock.test/v1',
  actions: {
    'stock.reserve': {
      route: 'POST /stock/{sku}/reservations',
      resource: 'stock:{sku}',
      risk: 'write',
      parameters: z.object({ quantity: decimal({ scale: 0 }) }),
    },
  },
})

export const policy = definePolicy({
  api: [orders, stock],
  version: '1',
  purposes: ['support-ticket'],
  agents: {
    'support-bot': {
      owner: 'team:support',
      identity: oidc({ issuer: 'https://login.test', audience: 'https://broker.test', subject: 'support-bot' }),
      approvers: ['group:leads'],
      revokeOn: defaultTriggers,
      maxOpenTasks: 3,
    },
  },
  rules: [
    {
      id: 'read',
      action: 'order.read',
      effect: 'permit',
      limits: { calls: 3, ttlSeconds: 60 },
      grant: { resource: 'class' },
    },
    { id: 'lines', action: 'order.lines', effect: 'permit' },
    {
      id: 'small-refund',
      action: 'refund.create',
      effect: 'permit',
      when: (r) => r.parameters.amount.lte('50.00'),
      limits: { ttlSeconds: 30, calls: 1, totals: { amount: '80.00' } },
    },
    { id: 'large-refund', action: 'refund.create', effect: 'approve', when: (r) => r.parameters.amount.gt('100.00') },
    { id: 'report', action: 'report.write', effect: 'permit' },
    {
      id: 'reserve',
      action: 'stock.reserve',
      effect: 'permit',
      limits: { calls: 2, ttlSeconds: 60 },
      grant: { parameters: { quantity: { max: '5' } } },
    },
  ],
})

export const api = [orders, stock] as const

type Next = (request: Request) => Promise<Response>
/** Stands on the wire: passes on, answers itself, or changes what comes back. */
export type Tap = (request: Request, next: Next) => Promise<Response>

/** One request as it left the client. */
export interface Sent {
  readonly method: string
  readonly url: string
  readonly path: string
  readonly headers: Headers
  readonly body: string
}

type World = TestWorld<typeof api, 'support-ticket', 'support-bot'>

interface DeskOptions extends Partial<ClientOptions<typeof api>> {
  readonly nonces?: boolean
  readonly tap?: Tap
  readonly identityIn?: (world: World) => TokenSource
}

/** A world with a client whose wire can be watched and tampered with. */
export function desk(options: DeskOptions = {}) {
  const { nonces = false, tap: firstTap, identityIn, ...clientOptions } = options
  const world: World = testWorld({ api, policy, nonces })
  const sent: Sent[] = []
  let tap: Tap = firstTap ?? ((request, next) => next(request))
  const fetch = async (request: Request): Promise<Response> => {
    const { method, url, headers } = request
    const copy = request.clone()
    sent.push({ method, url, path: new URL(url).pathname, headers, body: await copy.text() })
    return tap(request, world.fetch)
  }
  const newClient = () =>
    createClient({
      issuer: world.issuer,
      identity: identityIn?.(world) ?? world.identity('support-bot').source,
      api,
      fetch,
      clock: world.clock.now,
      retryDelaysMs: [0],
      ...clientOptions,
    })
  return {
    world,
    sent,
    newClient,
    client: newClient(),
    setTap: (next: Tap) => {
      tap = next
    },
    /** Requests to one path, in order. */
    to: (path: string) => sent.filter((request) => request.path === path),
    /** What was recorded: how tasks ended, which actions were granted and used. */
    recorded: async () => {
      const events = await world.events()
      return events.map(({ type, reason, action }) =>
        [type, type === 'task.ended' ? reason : type === 'grant.revoked' ? undefined : action]
          .filter(Boolean)
          .join(' '),
      )
    },
  }
}

export const task = { purpose: 'support-ticket' } as const

/** An answer with some members replaced or, when undefined, removed. */
export async function changed(response: Response, members: Record<string, unknown>): Promise<Response> {
  const body = { ...((await response.json()) as Record<string, unknown>), ...members }
  return Response.json(body, { status: response.status })
}

/** The one action without a route, as a guarded function of this process. */
export function guardedReport(
  world: ReturnType<typeof desk>['world'],
  run: (text: string) => unknown = (text) => `wrote: ${text}`,
) {
  const verifier = world.verifier('https://orders.test') as unknown as Verifier<typeof orders>
  return guard(verifier, 'report.write', ({ parameters }) => run(parameters.text))
}

export { testKey } from '@hallpass/testing'
