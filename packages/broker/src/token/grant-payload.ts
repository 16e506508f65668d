import { CLAIM, type GrantClaims, type ToolCallEntry } from '@hallpass/core'

// oxlint-disable-next-line no-control-regex -- these are what JSON escapes
const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/

/** A JSON string, as JSON.stringify writes it. */
const text = (value: string): string => (NEEDS_ESCAPE.test(value) ? JSON.stringify(value) : `"${value}"`)

/**
 * The claims of a grant as JSON. Written member by member: on the path of every grant, JSON.stringify over the whole is
 * the dearest step after the signatures.
 */
export function grantPayload(claims: GrantClaims): string {
  const { act, cnf, status, [CLAIM.policy]: policy, [CLAIM.path]: path, [CLAIM.onBehalfOf]: user } = claims
  const { idx, uri } = status.status_list
  const [task = ''] = path.tasks
  const [agent = ''] = path.agents
  const holder = cnf === undefined ? '' : `,"cnf":{"jkt":${text(cnf.jkt)}}`
  const actor = act === undefined ? '' : `,"act":${JSON.stringify(act)}`
  const onBehalfOf = user === undefined ? '' : `,${text(CLAIM.onBehalfOf)}:${JSON.stringify(user)}`
  return (
    `{"iss":${text(claims.iss)},"sub":${text(claims.sub)},"aud":${text(claims.aud)}` +
    `,"client_id":${text(claims.client_id)},"iat":${claims.iat},"exp":${claims.exp}` +
    `,"jti":${text(claims.jti)},"txn":${text(claims.txn)}${holder}${actor}` +
    `,"authorization_details":[${entryJson(claims.authorization_details[0])}]` +
    `,"status":{"status_list":{"idx":${idx},"uri":${text(uri)}}}` +
    `,"${CLAIM.policy}":{"version":${text(policy.version)},"digest":${text(policy.digest)}}` +
    `,"${CLAIM.path}":{"tasks":[${text(task)}],"agents":[${text(agent)}],"owner":${text(path.owner)}}${onBehalfOf}}`
  )
}

function entryJson({
  type,
  locations,
  actions,
  identifier,
  parameter_digest,
  constraints,
  limits,
}: ToolCallEntry): string {
  const parameters =
    constraints === undefined
      ? `"parameter_digest":${text(parameter_digest ?? '')}`
      : `"constraints":${JSON.stringify(constraints)}`
  return (
    `{"type":${text(type)},"locations":[${text(locations[0])}],"actions":[${text(actions[0])}]` +
    `,"identifier":${text(identifier)},${parameters},"limits":${JSON.stringify(limits)}}`
  )
}
