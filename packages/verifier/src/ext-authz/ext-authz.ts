import { HallpassError, sha256Base64url } from '@hallpass/core'
import type { NodeRequest, NodeResponse } from '../node-http/node-message.ts'
import { nodeBodyReader } from '../node-http/read-node-body.ts'
import { writeAnswer } from '../node-http/write-answer.ts'
import type { Answer } from '../refusal/answer.ts'
import { plainProblem } from '../refusal/answers.ts'
import type { Verifier } from '../verifier.ts'
import type { EnvoyOptions } from './envoy.ts'
import { checkEnvoyOptions, envoyCall } from './envoy.ts'
import { actionFinder } from './find-action.ts'
import type { NginxOptions } from './nginx.ts'
import { checkNginxOptions, nginxAnswer, nginxCall } from './nginx.ts'
import { createOpenHandles } from './open-handles.ts'
import { proxiedCall } from './proxied-call.ts'
import type { VerifyDesk } from './verify-endpoint.ts'
import { giveBackUse, reportOutcome, verifyCall } from './verify-endpoint.ts'

export interface ExtAuthzOptions {
  /** Answers Envoy's `ext_authz` HTTP service. */
  readonly envoy?: EnvoyOptions
  /** Answers nginx's `auth_request`. */
  readonly nginx?: NginxOptions
  /** Answers `POST /verify`, `/outcome` and `/give-back` for a backend in any language that sends this secret. */
  readonly verify?: {
    /** At least 32 characters, sent as `Authorization: Bearer <secret>`. */
    readonly secret: string
    /** How long an outcome may be reported, 1 to 900 seconds; default 60. Later it is recorded as `unknown`. */
    readonly outcomeSeconds?: number
  }
}

/** A listener for Node's `createServer`. The request line is read raw: a rewritten path is not what was proven. */
export type ExtAuthzListener = (request: NodeRequest, response: NodeResponse) => void

/** A described request: twice the largest body in base64, and its header section. */
const MAX_DESCRIBED_BYTES = 4 * 1024 * 1024
/** The caller is beside us, and sends it in one piece. */
const DESCRIBED_TIMEOUT_MS = 5000
const NOT_FOUND: Answer = { status: 404, headers: { 'cache-control': 'no-store' }, body: '' }

/**
 * Puts a verifier beside a proxy or a backend in another language: it answers whether a request may go on, and spends the
 * grant when it says yes.
 *
 * Refuses every request that is not exactly the route of one action. Does not see what the upstream answers: behind a
 * proxy a use is recorded as handed on (202). Does not keep anybody from reaching the upstream around the proxy.
 * @throws HallpassError `configuration-invalid` for options with which something would go unchecked.
 */
export function extAuthz(verifier: Verifier, options: ExtAuthzOptions): ExtAuthzListener {
  const { envoy, nginx, verify } = options
  if (envoy === undefined && nginx === undefined && verify === undefined) {
    throw new HallpassError('configuration-invalid', 'extAuthz() answers nobody: configure envoy, nginx or verify')
  }
  if (envoy !== undefined) checkEnvoyOptions(envoy)
  if (nginx !== undefined) checkNginxOptions(nginx, { paths: Object.keys(BACKEND), prefix: envoy?.pathPrefix })
  const findAction = actionFinder(verifier.api, new URL(verifier.publicUrl).pathname.replace(/\/$/, ''))
  const isBackend = verify === undefined ? undefined : secretCheck(verify.secret)
  const desk: VerifyDesk = { verifier, findAction, handles: createOpenHandles(outcomeSeconds(verify)) }

  const answer = async (request: NodeRequest): Promise<Answer> => {
    const { method = '', url = '', headers } = request
    if (envoy !== undefined && url.startsWith(`${envoy.pathPrefix}/`)) {
      const call = envoyCall(request, envoy)
      return call === undefined ? plainProblem('request-malformed') : proxiedCall(verifier, findAction, call)
    }
    if (nginx !== undefined && url === nginx.path) {
      const call = nginxCall(request)
      return nginxAnswer(
        call === undefined ? plainProblem('request-malformed') : await proxiedCall(verifier, findAction, call),
      )
    }
    const serve = BACKEND[url]
    if (isBackend === undefined || serve === undefined || method !== 'POST') return NOT_FOUND
    if (!isBackend(headers['authorization'])) return { ...NOT_FOUND, status: 401 }
    const body = await nodeBodyReader(request)(MAX_DESCRIBED_BYTES, DESCRIBED_TIMEOUT_MS)
    if (!body.ok) return plainProblem(body.reason)
    return serve(desk, body.value ?? new Uint8Array())
  }

  return (request, response) => {
    answer(request).then(
      (found) => writeAnswer(response, found),
      () => writeAnswer(response, plainProblem('internal')),
    )
  }
}

const BACKEND: Readonly<Record<string, (desk: VerifyDesk, body: Uint8Array) => Promise<Answer>>> = Object.assign(
  Object.create(null),
  { '/verify': verifyCall, '/outcome': reportOutcome, '/give-back': giveBackUse },
)

/** Compares hashes, so that the time it takes says nothing about the secret. */
function secretCheck(secret: string): (authorization: unknown) => boolean {
  if (secret.length < 32) {
    throw new HallpassError('configuration-invalid', 'verify.secret must have at least 32 characters')
  }
  const expected = sha256Base64url(`Bearer ${secret}`)
  return (authorization) => typeof authorization === 'string' && sha256Base64url(authorization) === expected
}

function outcomeSeconds(verify: ExtAuthzOptions['verify']): number {
  const seconds = verify?.outcomeSeconds ?? 60
  if (!(seconds >= 1 && seconds <= 900)) {
    throw new HallpassError('configuration-invalid', 'verify.outcomeSeconds must be 1 to 900')
  }
  return seconds
}
