import { AUDIENCE } from '../world/orders-api.ts'

/** As much of an Express request as token middleware reads, without a server around it. */
export interface ExpressLikeRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly method: string
  readonly url: string
  readonly originalUrl: string
  readonly protocol: string
  readonly query: Readonly<Record<string, string>>
  readonly body: undefined
  readonly socket: Readonly<Record<string, never>>
  auth?: unknown
  get(name: string): string | undefined
  is(type: string): false
}

export function expressLikeRequest(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): ExpressLikeRequest {
  const { host, protocol } = new URL(AUDIENCE)
  const all: Readonly<Record<string, string>> = { host, ...headers }
  return {
    headers: all,
    method,
    url: path,
    originalUrl: path,
    protocol: protocol.slice(0, -1),
    query: {},
    body: undefined,
    socket: {},
    get: (name) => all[name.toLowerCase()],
    is: () => false,
  }
}

type Middleware = (request: never, response: never, next: (error?: unknown) => void) => unknown

/** Runs one middleware; rejects with what it hands to `next`. */
export function throughMiddleware(middleware: Middleware, request: ExpressLikeRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (error?: unknown): void => {
      if (error === undefined) resolve()
      else reject(error instanceof Error ? error : new Error('The middleware refused.'))
    }
    middleware(request as never, {} as never, next)
  })
}
