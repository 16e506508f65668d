import type { FastifyInstance, RouteOptions } from 'fastify'

/** Stands in the config of a route that a plugin of ours put its hooks before. Fastify copies it, nobody can name it. */
const GUARDED = Symbol('hallpass.guarded')

/** What Fastify prints of an app without routes. */
const NO_ROUTES = '(empty tree)'

interface Config {
  readonly hallpass?: unknown
  readonly [GUARDED]?: true
}

/** A route as its app knows it, whichever scope declared it. */
export interface KnownRoute {
  readonly method: string
  readonly url: string
  readonly isGuarded: boolean
  /** What it says of itself. */
  readonly declared: unknown
}

export function markGuarded(route: RouteOptions): void {
  route.config = { ...route.config, [GUARDED]: true } as NonNullable<RouteOptions['config']>
}

/**
 * Every route of the whole app. Fastify shows a plugin only the routes that come after it and below it, but prints all of
 * them: its printer is told to describe each route to us.
 * @returns undefined where it printed routes and described none.
 */
export function everyRoute(fastify: FastifyInstance): readonly KnownRoute[] | undefined {
  const known: KnownRoute[] = []
  const describe = ({
    store,
  }: {
    readonly store?: { readonly config?: Config & { method?: unknown; url?: unknown } }
  }) => {
    const { config } = store ?? {}
    if (config !== undefined) {
      known.push({
        method: [config.method].flat().join(','),
        url: String(config.url),
        isGuarded: config[GUARDED] === true,
        declared: config.hallpass,
      })
    }
    return {}
  }
  const options = {
    includeMeta: true,
    get buildPrettyMeta() {
      return describe
    },
    // The router puts its own describer here, which leaves the config out.
    set buildPrettyMeta(_own: typeof describe) {},
  }
  const printed = fastify.printRoutes(options)
  return known.length > 0 || printed === NO_ROUTES ? known : undefined
}
