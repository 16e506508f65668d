import type { Action, Api } from '@hallpass/core'
import { HallpassError } from '@hallpass/core'
import type { Verifier } from '../verifier.ts'
import { guardMark } from './guard-marks.ts'

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
  /** Undefined where a mount's path is a pattern, or not told by this Express. */
  readonly path: string | undefined
  readonly ownPath: string
  readonly method: string
  readonly action: Action | undefined
}

/**
 * Compares a catalog with an Express app's routes, once they are all mounted.
 *
 * Each action with a route needs one guarded route of its method and path (a mount's prefix may stand before it), and
 * each guard has to stand in a route of its action. Does not look into apps of other frameworks, nor at `app.use` guards.
 * @throws HallpassError `route-mismatch` that names everything that differs.
 */
export function checkRoutes<A extends Api>(verifier: Verifier<A>, app: object, options: CheckRoutesOptions = {}): void {
  const router = app as { router?: { stack?: readonly Layer[] }; stack?: readonly Layer[] }
  const routes = routesOf(router.router?.stack ?? router.stack ?? [], '', verifier)
  const actions = Object.values<Action>(verifier.api.actions).filter(({ path }) => path !== undefined)
  const wrong = routes.flatMap(({ action, ...route }) =>
    action === undefined || fits(route, action)
      ? []
      : [
          `${route.method} ${route.path ?? route.ownPath} is guarded as ${action.name}, which is ${action.method} ${action.path}`,
        ],
  )
  const missing = actions
    .filter((action) => !routes.some((route) => route.action?.name === action.name))
    .map(({ name, method, path }) => `${name} has no guarded route ${method} ${path}`)
  const { publicRoutes } = options
  const open =
    publicRoutes === undefined
      ? []
      : routes
          .filter(
            ({ action, method, path, ownPath }) =>
              action === undefined && !publicRoutes.includes(`${method} ${path ?? ownPath}`),
          )
          .map(({ method, path, ownPath }) => `${method} ${path ?? ownPath} has no guard and is not public`)
  const problems = [...wrong, ...missing, ...open]
  if (problems.length === 0) return
  throw new HallpassError('route-mismatch', `Routes and catalog of ${verifier.audience} differ: ${problems.join('; ')}`)
}

function routesOf(stack: readonly Layer[], prefix: string | undefined, verifier: object): FoundRoute[] {
  return stack.flatMap(({ route, handle, rawPath }) => {
    if (route === undefined) {
      const inner = handle?.stack
      if (inner === undefined) return []
      const under =
        prefix === undefined || typeof rawPath !== 'string' ? undefined : prefix + (rawPath === '/' ? '' : rawPath)
      return routesOf(inner, under, verifier)
    }
    const ownPath = String(route.path)
    const path = prefix === undefined ? undefined : prefix + ownPath
    return Object.keys(route.methods).map((name) => {
      const mark = route.stack
        .filter(({ method }) => method === undefined || method === name)
        .map((layer) => guardMark(layer.handle))
        .find((candidate) => candidate?.verifier === verifier)
      return { path, ownPath, method: name.replace(/^_/, '').toUpperCase(), action: mark?.action }
    })
  })
}

/** `/orders/:id` stands for `/orders/{id}`; what a mount puts before it is the app's own business. */
function fits({ path, ownPath, method }: Omit<FoundRoute, 'action'>, action: Action): boolean {
  const expected = (action.path ?? '').replaceAll(/\{([^{}]+)\}/g, ':$1')
  if (method !== action.method) return false
  return path === undefined ? expected.endsWith(ownPath) : path === expected || path.endsWith(expected)
}
