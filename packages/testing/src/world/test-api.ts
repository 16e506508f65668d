import type { Api, JsonObject } from '@hallpass/core'
import type { VerifiedGrant, Verifier } from '@hallpass/verifier'
import { protect } from '@hallpass/verifier'

/** What a handler is called with: nothing of it was taken on trust. */
export interface TestCall {
  readonly action: string
  readonly resource: string
  readonly grant: VerifiedGrant
  readonly body: unknown
  readonly request: Request
}

export type TestHandler = (call: TestCall) => Response | Promise<Response>

/** An API in the process: a verifier in front of one handler per action. */
export interface TestApi {
  readonly fetch: (request: Request) => Promise<Response>
  handle(action: string, handler: TestHandler): void
}

/** Says what it did, so that a test without a handler has something to look at. */
const echo: TestHandler = ({ action, resource, grant }) =>
  Response.json({ done: action, resource, parameters: JSON.parse(JSON.stringify(grant.parameters)) as JsonObject })

/** @param handled gets every call that reached a handler. */
export function createTestApi(verifier: Verifier, handled: TestCall[]): TestApi {
  const handlers = new Map<string, TestHandler>()
  const routes = routesOf(verifier.api).map(({ action, method, matches }) => {
    const guarded = protect(verifier, action, (request, { grant, body }) => {
      const call: TestCall = { action, resource: grant.resource, grant, body, request }
      handled.push(call)
      return (handlers.get(action) ?? echo)(call)
    })
    return { method, matches, guarded }
  })
  return {
    async fetch(request) {
      const { pathname } = new URL(request.url)
      const route = routes.find(({ method, matches }) => method === request.method && matches.test(pathname))
      return route === undefined ? new Response(null, { status: 404 }) : route.guarded(request)
    },
    handle(action, handler) {
      handlers.set(action, handler)
    },
  }
}

function routesOf({ actions, audience }: Api) {
  const prefix = new URL(audience).pathname.replace(/\/$/, '')
  return Object.values(actions).flatMap(({ name, method, path }) => {
    if (path === undefined || method === undefined) return []
    const pattern = `${prefix}${path}`
      .split(/\{[^}]+\}/)
      .map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    return [{ action: name, method, matches: new RegExp(`^${pattern.join('[^/]+')}$`) }]
  })
}
