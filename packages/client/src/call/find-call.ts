import type { Action, JsonValue } from '@hallpass/core'
import { assembleParameters, parseStrictJson, resourceFrom } from '@hallpass/core'
import type { Refusal } from '../outcome/refusal.ts'
import { refusal } from '../outcome/refusal.ts'
import type { CallPlan, Place } from './call-plan.ts'
import { checkParameters } from './check-parameters.ts'

/** Headers that a credential of somebody else could travel in, and those that belong to the grant. */
const NOT_TAKEN_OVER = ['authorization', 'dpop', 'cookie', 'proxy-authorization']

/**
 * Finds out which call of the catalog a plain request is: by its origin, base path, method and route, and by nothing
 * the request says about itself.
 *
 * @returns `route-unknown` for every other request. It is not sent without a grant instead.
 */
export async function findCall(
  places: readonly Place[],
  request: Request,
): Promise<{ readonly ok: true; readonly plan: CallPlan } | Refusal> {
  const url = new URL(request.url)
  const found = places.flatMap((place) => matchesIn(place, request.method, url))[0]
  if (found === undefined) return refusal('route-unknown')
  const { action, route } = found
  const resource = resourceFrom(action, route)
  if (!resource.ok) return refusal(resource.reason)
  const bytes = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer())
  const json = readJson(bytes, request.headers.get('content-type'))
  if (!json.ok) return json
  const query = url.search.slice(1)
  const raw = assembleParameters(action, { route, query, body: json.value })
  if (!raw.ok) return refusal(raw.reason)
  const parameters = checkParameters(action, raw.value)
  if (!parameters.ok) return parameters
  const headers = new Headers(request.headers)
  for (const name of NOT_TAKEN_OVER) headers.delete(name)
  const planned = {
    method: request.method,
    url: url.origin + url.pathname,
    query: query === '' ? undefined : query,
    body: bytes?.length === 0 ? undefined : bytes,
    headers,
  }
  return {
    ok: true,
    plan: {
      action,
      audience: action.audience,
      resource: resource.value,
      parameters: parameters.value,
      request: planned,
    },
  }
}

function matchesIn(
  { api, baseUrl }: Place,
  method: string,
  url: URL,
): { action: Action; route: Record<string, string> }[] {
  const base = new URL(baseUrl)
  const prefix = base.pathname.replace(/\/$/, '')
  if (url.origin !== base.origin || !`${url.pathname}/`.startsWith(`${prefix}/`)) return []
  const path = url.pathname.slice(prefix.length) || '/'
  return Object.values(api.actions).flatMap((action) => {
    const route = action.method === method && action.path !== undefined ? matchPath(action.path, path) : undefined
    return route === undefined ? [] : [{ action, route }]
  })
}

/** Route parameters, each decoded once; nothing where the path is another route's. */
function matchPath(template: string, path: string): Record<string, string> | undefined {
  const expected = template.split('/')
  const actual = path.split('/')
  if (expected.length !== actual.length) return undefined
  const route: [string, string][] = []
  for (const [index, segment] of expected.entries()) {
    const name = /^\{(.+)\}$/.exec(segment)?.[1]
    const value = decoded(actual[index] ?? '')
    if (value === undefined || (name === undefined && value !== segment)) return undefined
    if (name !== undefined) route.push([name, value])
  }
  return Object.fromEntries(route)
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

function readJson(
  bytes: Uint8Array | undefined,
  contentType: string | null,
): { readonly ok: true; readonly value: JsonValue | undefined } | Refusal {
  if (bytes === undefined || bytes.length === 0) return { ok: true, value: undefined }
  if (!/^application\/json\s*(;|$)/i.test(contentType ?? '')) return refusal('body-unsupported')
  const parsed = parseStrictJson(bytes)
  return parsed.ok ? parsed : refusal('request-malformed')
}
