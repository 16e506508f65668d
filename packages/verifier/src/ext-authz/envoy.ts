import { HallpassError } from '@hallpass/core'
import type { NodeRequest } from '../node-http/node-message.ts'
import { announcesBody, nodeBodyReader } from '../node-http/read-node-body.ts'
import type { IncomingCall } from '../request/incoming-call.ts'

export interface EnvoyOptions {
  /** Envoy's own `path_prefix`, without a slash at its end: what stands before the path of the request asked about. */
  readonly pathPrefix: string
  /**
   * Says that Envoy's `with_request_body` is configured. It has to be: a body that is not shown here would reach the
   * upstream unchecked, and nothing in the question tells.
   */
  readonly withRequestBody: true
}

/** Throws `configuration-invalid` for options with which something would go unchecked. */
export function checkEnvoyOptions({ pathPrefix, withRequestBody }: EnvoyOptions): void {
  if (!/^\/[A-Za-z0-9/_-]*[A-Za-z0-9_-]$/.test(pathPrefix)) {
    throw new HallpassError(
      'configuration-invalid',
      'envoy.pathPrefix is a path such as /envoy, with no slash at its end',
    )
  }
  if (!withRequestBody) {
    throw new HallpassError(
      'configuration-invalid',
      'Configure with_request_body in Envoy and say so by withRequestBody: true; else bodies reach the upstream unchecked',
    )
  }
}

/** The request Envoy asks about: the same method, path, header fields and body. Undefined where it cannot be told. */
export function envoyCall(request: NodeRequest, { pathPrefix }: EnvoyOptions): IncomingCall | undefined {
  const { method = '', url = '', rawHeaders, headers } = request
  if (!url.startsWith(`${pathPrefix}/`)) return undefined
  // Only a part of the body came, and the rest of it is nobody's to check.
  if ((headers['x-envoy-auth-partial-body'] ?? 'false') !== 'false') return undefined
  const call = { method, target: url.slice(pathPrefix.length), headers: rawHeaders }
  return announcesBody(request) ? { ...call, body: nodeBodyReader(request) } : call
}
