import { isJsonObject, ok, parseStrictJson, type JsonObject, type JsonValue } from '@hallpass/core'
import type { Engine } from '../engine.ts'
import { answer, type Answer } from '../http/answer.ts'
import type { OAuthRequest } from '../http/oauth-request.ts'
import { reject, type Step } from '../http/refusal.ts'
import { recogniseCaller } from '../token/caller-token.ts'

interface Told {
  readonly name: string
  readonly subject: { readonly agent?: string; readonly txn?: string; readonly jti?: string }
  readonly detail?: string
}

/**
 * `POST /signals`: `{ name, agent | txn | jti, detail? }` from a system that is registered for that name. Answered when
 * every trigger that waits for it has acted.
 */
export async function signalsEndpoint(engine: Engine, request: OAuthRequest): Promise<Answer> {
  const { attempt } = request
  return answer(engine, { attempt, challenge: true }, async () => {
    const caller = await recogniseCaller(engine, request, `${engine.issuer}/signals`)
    if (!caller.ok) return caller
    const { kind, id } = caller.value
    const told = readSignal(request)
    if (!told.ok) return told
    const { name, detail } = told.value
    const mayTell = kind === 'signaler' && engine.signals.get(id)?.includes(name) === true
    if (!mayTell) return reject('invalid_token', { reason: 'caller-not-allowed' })
    attempt.standing = 'authenticated'
    const subject = await subjectOf(engine, told.value)
    if (subject === undefined) return ok({ triggers: 0 })
    const signal = { name, ...subject, by: id, ...(detail === undefined ? {} : { detail }) }
    return ok({ triggers: await engine.triggers.signal(signal) })
  })
}

/** Whose agent it is, out of the ledger where only a task or a grant was named; undefined where nobody knows it. */
async function subjectOf(
  { ledger, policy }: Engine,
  { subject: { agent, txn, jti } }: Told,
): Promise<{ readonly clientId: string; readonly txn?: string; readonly jti?: string } | undefined> {
  if (agent !== undefined) return policy.agent(agent) === undefined ? undefined : { clientId: agent }
  if (txn !== undefined) {
    const task = await ledger.task(txn)
    return task && { clientId: task.clientId, txn }
  }
  const grant = jti === undefined ? undefined : await ledger.grant(jti)
  return grant && { clientId: grant.clientId, txn: grant.txn, jti: grant.jti }
}

const SUBJECTS = ['agent', 'txn', 'jti'] as const
const MEMBERS: ReadonlySet<string> = new Set(['name', 'detail', ...SUBJECTS])

function readSignal({ body }: OAuthRequest): Step<Told> {
  const json = parseStrictJson(body ?? '')
  const bad = reject('invalid_request', { reason: 'request-invalid', detail: 'not a signal' })
  if (!json.ok || !isJsonObject(json.value)) return bad
  const value: JsonObject = json.value
  const { name, detail } = value
  const named = SUBJECTS.filter((member) => value[member] !== undefined)
  const [member] = named
  if (!Object.keys(value).every((key) => MEMBERS.has(key)) || member === undefined || named.length > 1) return bad
  const subject = value[member]
  if (!isText(name) || !isText(subject) || !(detail === undefined || isText(detail))) return bad
  return ok({ name, subject: { [member]: subject }, ...(detail === undefined ? {} : { detail }) })
}

const isText = (value: JsonValue | undefined): value is string =>
  typeof value === 'string' && value !== '' && value.length <= 256
