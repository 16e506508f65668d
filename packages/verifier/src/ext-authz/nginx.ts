import { HallpassError } from '@hallpass/core'
import type { NodeRequest } from '../node-http/node-message.ts'
import type { Answer } from '../refusal/answer.ts'
import type { IncomingCall } from '../request/incoming-call.ts'

export interface NginxOptions {
  /** Path at which `auth_request` asks; it shows no body, so only GET, HEAD and DELETE are ever allowed. */
  readonly path: string
}

const PLAIN_PATH = /^\/(?:[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*)?$/

/**
 * Throws `configuration-invalid` for a path at which nginx would not be answered as nginx: none, one that a proxy may write
 * otherwise, or one that somebody else asks at.
 */
export function checkNginxOptions(
  { path }: NginxOptions,
  others: { readonly paths: readonly string[]; readonly prefix: string | undefined },
): void {
  if (!PLAIN_PATH.test(path)) throw invalid('is a path such as /nginx, without dots, doubled slashes and a query')
  if (others.paths.includes(path)) throw invalid(`is ${path}, at which a backend asks`)
  if (others.prefix !== undefined && path.startsWith(`${others.prefix}/`)) throw invalid('is below envoy.pathPrefix')
}

const invalid = (what: string): HallpassError => new HallpassError('configuration-invalid', `nginx.path ${what}`)

/** The methods whose parameters stand in the query. */
const WITHOUT_BODY: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE'])

/**
 * The request nginx asks about, out of the two fields its configuration sets on every question. nginx shows no body, so
 * only methods that have none are asked about; undefined for anything else.
 */
export function nginxCall({ headers, rawHeaders }: NodeRequest): IncomingCall | undefined {
  const method = onlyField(rawHeaders, 'x-original-method')
  const target = onlyField(rawHeaders, 'x-original-uri')
  if (method === undefined || target === undefined) return undefined
  if (!WITHOUT_BODY.has(method) || headers['transfer-encoding'] !== undefined) return undefined
  if ((headers['content-length'] ?? '0') !== '0') return undefined
  return { method, target, headers: rawHeaders }
}

/** `auth_request` knows 2xx, 401 and 403 and makes a 500 of the rest, so the own status goes into a field. */
export function nginxAnswer({ status, headers, body }: Answer): Answer {
  if (status === 200 || status === 401 || status === 403 || status >= 500) return { status, headers, body }
  return { status: 403, headers: { ...headers, 'hallpass-status': String(status) }, body }
}

function onlyField(rawHeaders: readonly string[], name: string): string | undefined {
  const values = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name)
  return values.length === 1 ? values[0] : undefined
}
