import type { Api, RefusalReason, Result } from '@hallpass/core'
import { ok, refuse } from '@hallpass/core'
import { planAction } from '../call/planned-action.ts'
import { matchRoute } from '../request/match-route.ts'
import type { RouteTemplate } from '../request/match-route.ts'

/** What a router somewhere else may read otherwise than we do: dots, separators and controls, plain or encoded. */
const AMBIGUOUS = /[^!-~]|[\\;]|\/\/|\/\.{1,2}(?:\/|$)|%(?:0|1|2[ef]|3b|5c|7f|25)/i

interface Route {
  readonly name: string
  readonly method: string
  readonly template: RouteTemplate
}

export type FindAction = (method: string, target: string) => Result<string, RefusalReason>

/**
 * Routes for a proxy that has none: the action whose route the request line is, by exact path.
 *
 * The upstream reads the same line with a router of its own, so a path that two routers may read in two ways is refused.
 * @param mount path that stands before every route in what the proxy forwards: the path of the public URL.
 */
export function actionFinder(api: Api, mount: string): FindAction {
  const routes = Object.keys(api.actions).flatMap((name): Route[] => {
    const { method, template } = planAction(api, name)
    return template === undefined ? [] : [{ name, method, template }]
  })
  return (method, target) => {
    const end = target.indexOf('?')
    const path = end < 0 ? target : target.slice(0, end)
    if (!path.startsWith('/') || target.includes('#') || AMBIGUOUS.test(path)) {
      return refuse('request-malformed', 'The path could be read in two ways')
    }
    if (mount !== '' && !path.startsWith(`${mount}/`)) return refuse('action-mismatch', 'No action has this route')
    const below = path.slice(mount.length)
    const found = routes.filter((route) => route.method === method && matchRoute(route.template, below).ok)
    // `/orders/{id}` and `/orders/open`: the upstream's router decides between them, and nobody here knows how.
    if (found.length > 1) return refuse('action-mismatch', 'Two actions have this route')
    const [route] = found
    return route === undefined ? refuse('action-mismatch', 'No action has this route') : ok(route.name)
  }
}
