import type { Action, ApiSet } from '@hallpass/core'
import { buildCall, findAction, HallpassError, partsOfResource } from '@hallpass/core'
import type { Refusal } from '../outcome/refusal.ts'
import { refusal } from '../outcome/refusal.ts'
import type { CallPlan, Place, WantedCall } from './call-plan.ts'
import { checkParameters } from './check-parameters.ts'

/** What a caller says of a call, before the catalog was asked. */
export interface CallWish {
  readonly resource: string
  readonly parameters?: unknown
}

/** @throws `HallpassError` with `configuration-invalid` for a name that is not in the catalog. */
export function actionNamed(api: ApiSet, name: string): Action {
  const action = findAction(api, name)
  if (action !== undefined) return action
  throw new HallpassError('configuration-invalid', `There is no action "${name}" in the catalog this client was given`)
}

/** Checks resource and parameters, and builds nothing to send. */
export function wantedCall(
  action: Action,
  { resource, parameters }: CallWish,
): { readonly ok: true; readonly plan: WantedCall } | Refusal {
  const parts = partsOfResource(action, resource)
  if (!parts.ok) return refusal(parts.reason)
  const checked = checkParameters(action, parameters)
  if (!checked.ok) return checked
  return { ok: true, plan: { action, audience: action.audience, resource, parameters: checked.value } }
}

/**
 * Turns an action, a resource and parameters into the one request the catalog says they are.
 *
 * @throws `HallpassError` with `configuration-invalid` for an action without a route.
 */
export function planCall(
  places: readonly Place[],
  action: Action,
  wish: CallWish,
): { readonly ok: true; readonly plan: CallPlan } | Refusal {
  const place = places.find(({ api }) => api.audience === action.audience)
  if (place === undefined || action.path === undefined) {
    throw new HallpassError(
      'configuration-invalid',
      `The action "${action.name}" has no route, so there is nothing to send`,
    )
  }
  const checked = checkParameters(action, wish.parameters)
  if (!checked.ok) return checked
  const built = buildCall(action, wish.resource, checked.value)
  if (!built.ok) return refusal(built.reason)
  const { method, path, body } = built.value
  const base = place.baseUrl.replace(/\/$/, '')
  const url = new URL(base + path)
  // What is signed must be what is sent: a path that a URL parser would rewrite is not sent at all.
  if (url.origin + url.pathname !== base + path.split('?', 1)[0]) return refusal('resource-mismatch')
  const headers = new Headers({ accept: 'application/json' })
  if (body !== undefined) headers.set('content-type', 'application/json')
  const query = url.search === '' ? undefined : url.search.slice(1)
  const request = { method, url: url.origin + url.pathname, query, body, headers }
  const { audience } = action
  return { ok: true, plan: { action, audience, resource: wish.resource, parameters: checked.value, request } }
}
