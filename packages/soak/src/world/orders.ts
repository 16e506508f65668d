import { decimal, defineApi } from '@hallpass/core'
import type { ActionInput, Api } from '@hallpass/core'
import { z } from 'zod'

export type ActionName = keyof typeof LIMITS

/** What the policy allows and the checker counts. Totals are of the whole task, in cents. */
export const LIMITS = {
  'refund.create': { uses: 1, ttlSeconds: 30, path: 'refund', total: 6000 },
  'credit.add': { uses: 7, ttlSeconds: 30, path: 'credit', total: 3000 },
  'note.add': { uses: 100, ttlSeconds: 30, path: 'notes', total: undefined },
  // Short, so that grants end while their uses are under way.
  'hint.add': { uses: 7, ttlSeconds: 3, path: 'hints', total: undefined },
} as const

/** How late a revocation may reach a replica that counts for itself. */
export const MAX_STALENESS_SECONDS = 5

export const ACTIONS = Object.keys(LIMITS) as readonly ActionName[]

/** What replicas guard, as the policy and the broker know it. */
export interface GuardedApi {
  /** Under which it proves itself to the broker. */
  readonly id: string
  readonly api: Api
  /** What it calls an action. */
  readonly nameOf: (action: ActionName) => string
}

/**
 * The one API that every replica guards, whichever a request reaches; or, with a number, that of one replica which counts
 * for itself and shares nothing: then each has an audience and names of its own.
 */
export function ordersApi(replica?: number): GuardedApi {
  const suffix = replica === undefined ? '' : `-${replica}`
  const nameOf = (action: ActionName): string => action + suffix
  const amount = z.object({ amount: decimal({ unit: 'EUR' }) })
  const text = z.object({ text: z.string() })
  const input = (action: ActionName): ActionInput => ({
    route: `POST /orders/{id}/${LIMITS[action].path}`,
    resource: 'order:{id}',
    risk: 'write',
    parameters: LIMITS[action].total === undefined ? text : amount,
  })
  const api = defineApi({
    audience: `https://orders${suffix}.soak.test`,
    actions: Object.fromEntries(ACTIONS.map((action) => [nameOf(action), input(action)])),
  })
  return { id: `orders-api${suffix}`, api, nameOf }
}

/** What the replicas of a run guard: one API together, or one each. */
export const ordersApis = (replicas: number, isEachOnItsOwn: boolean): readonly GuardedApi[] =>
  isEachOnItsOwn ? Array.from({ length: replicas }, (_, n) => ordersApi(n + 1)) : [ordersApi()]
