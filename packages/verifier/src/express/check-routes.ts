import type { Action, Api } from '@hallpass/core'
import { HallpassError } from '@hallpass/core'
import type { Verifier } from '../verifier.ts'
import { isFixedPath } from '../door/fixed-path.ts'
import { guardMark } from './guard-marks.ts'
import type { GuardMark } from './guard-marks.ts'

export interface CheckRoutesOptions {
  /** Routes that are open on purpose, as `GET /healthz`. With it, every other route has to have a guard. */
  readonly publicRoutes?: readonly string[]
}

/** What this reads of an Express app or router; older versions of Express 5 have no `rawPath`. */
interface Layer {
  readonly rawPath?: unknown
  readonly handle?: { readonly stack?: readonly Layer[] }
  readonly route?: {
    readonly path: unknown
    readonly methods: Readonly<Record<string, boolean>>
    readonly stack: readonly { readonly method?: string; readonly handle: object }[]
  }
}

interface FoundRoute {
  /** Undefined where this Express does not tell a mount's path. */
  readonly path: string | undefined
  readonly ownPath: string
  readonly method: string
  readonly mark: GuardMark | undefined
  /** Nothing stands behind the guard. */
  readonly isLast: boolean
}

/**
 * Compares a catalog with an Express app's routes, once they are all mounted.
 *
 * Each action with a route needs one guarded route of its method and path, each guard has to stand in a route of its
 * action and before its handler, and no other route may answer in its place. A mount's prefix may stand before the
 * action's path where it is fixed; from here on the guard takes requests there. Does not look into apps of other
 * frameworks, nor at `app.use` guards, nor at what stands before a guard in its own route.
 * @throws HallpassError `route-mismatch` that names everything that differs.
 */
export function checkRoutes<A extends Api>(verifier: Verifier<A>, app: object, options: CheckRoutesOptions = {}): void {
  const router = app as { router?: { stack?: readonly Layer[] }; stack?: readonly Layer[] }
  const routes = routesOf(router.router?.stack ?? router.stack ?? [], [''], verifier)
  const guarded = routes.filter(({ mark }) => mark !== undefined)
  const actions = Object.values<Action>(verifier.api.actions).filter(({ path }) => path !== undefined)
  const missing = actions
    .filter(({ name }) => !guarded.some(({ mark }) => mark?.action.name === name))
    .map(({ name, method, path }) => `${name} has no guarded route ${method} ${path}`)
  const problems = [...guarded.flatMap(wrongAbout), ...missing, ...unguarded(routes, options.publicRoutes)]
  if (problems.length > 0) {
    throw new HallpassError(
      'route-mismatch',
      `Routes and catalog of ${verifier.audience} differ: ${problems.join('; ')}`,
    )
  }
  for (const { path = '', mark } of guarded) {
    const prefix = mark === undefined ? undefined : prefixOf(path, mark.action)
    if (prefix !== undefined && prefix !== '') mark?.mounts.add(prefix)
  }
}

function wrongAbout({ path, ownPath, method, mark, isLast }: FoundRoute): string[] {
  if (mark === undefined) return []
  const { action } = mark
  const name = `${method} ${path ?? ownPath}`
  if (method !== action.method || !endsAs(path ?? ownPath, path === undefined, action))
    return [`${name} is guarded as ${action.name}, which is ${action.method} ${action.path}`]
  if (path !== undefined && prefixOf(path, action) === undefined)
    return [`${name} is guarded as ${action.name}, which does not name the parameters of its mount`]
  return isLast ? [`${name} has nothing behind its guard; put the handler into the same route`] : []
}

/** Routes without a guard: all that are not public where those are told, else those that stand in an action's place. */
function unguarded(routes: readonly FoundRoute[], publicRoutes: readonly string[] | undefined): string[] {
  const open = routes.filter(({ mark }) => mark === undefined)
  const nameOf = ({ method, path, ownPath }: FoundRoute): string => `${method} ${path ?? ownPath}`
  if (publicRoutes !== undefined) {
    const told = new Set(publicRoutes)
    return open.map(nameOf).flatMap((name) => (told.has(name) ? [] : [`${name} has no guard and is not public`]))
  }
  const taken = new Set(routes.flatMap((route) => (route.mark === undefined ? [] : [nameOf(route).toLowerCase()])))
  return open
    .map(nameOf)
    .flatMap((name) => (taken.has(name.toLowerCase()) ? [`${name} has a second route without a guard`] : []))
}

function routesOf(stack: readonly Layer[], prefixes: readonly (string | undefined)[], verifier: object): FoundRoute[] {
  return stack.flatMap((layer) => {
    const { route, handle } = layer
    if (route === undefined) {
      const inner = handle?.stack
      return inner === undefined ? [] : routesOf(inner, under(prefixes, layer), verifier)
    }
    const ownPath = String(route.path)
    return prefixes.flatMap((prefix) =>
      Object.keys(route.methods).map((name) => {
        const handlers = route.stack.filter(({ method }) => method === undefined || method === name)
        const marks = handlers.map((one) => guardMark(one.handle))
        const at = marks.findIndex((candidate) => candidate?.verifier === verifier)
        return {
          path: prefix === undefined ? undefined : prefix + ownPath,
          ownPath,
          method: name.replace(/^_/, '').toUpperCase(),
          mark: marks[at],
          isLast: at === handlers.length - 1,
        }
      }),
    )
  })
}

/** A mount of several paths is several mounts; the text of a pattern is no path, and so no prefix of one. */
function under(prefixes: readonly (string | undefined)[], layer: Layer): (string | undefined)[] {
  if (!('rawPath' in layer)) return [undefined]
  return prefixes.flatMap((prefix) =>
    [layer.rawPath].flat().map((own) => (prefix === undefined ? undefined : prefix + (own === '/' ? '' : String(own)))),
  )
}

/** `/orders/:id` stands for `/orders/{id}`. */
const patternOf = ({ path = '' }: Action): string => path.replaceAll(/\{([^{}]+)\}/g, ':$1')

function endsAs(path: string, isPart: boolean, action: Action): boolean {
  const expected = patternOf(action)
  return isPart ? expected.endsWith(path) : path.endsWith(expected)
}

/** What mounts put before the action's path; undefined for what is not fixed. */
function prefixOf(path: string, action: Action): string | undefined {
  const prefix = path.slice(0, path.length - patternOf(action).length)
  return path.endsWith(patternOf(action)) && isFixedPath(prefix) ? prefix : undefined
}
