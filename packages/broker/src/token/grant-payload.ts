import { CLAIM, jsonText, quoted, quotedName, type GrantClaims, type ToolCallEntry } from '@hallpass/core'

/**
 * The claims of a grant as JSON. Written member by member: on the path of every grant, JSON.stringify over the whole is
 * the dearest step after the signatures.
 */
export function grantPayload(claims: GrantClaims): string {
  const { act, cnf, status, [CLAIM.policy]: policy, [CLAIM.path]: path, [CLAIM.onBehalfOf]: user } = claims
  const { idx, uri } = status.status_list
  const [task = ''] = path.tasks
  const [agent = ''] = path.agents
  const holder = cnf === undefined ? '' : `,"cnf":{"jkt":${quotedName(cnf.jkt)}}`
  const actor = act === undefined ? '' : `,"act":${JSON.stringify(act)}`
  const onBehalfOf = user === undefined ? '' : `,${quotedName(CLAIM.onBehalfOf)}:${JSON.stringify(user)}`
  return (
    `{"iss":${quotedName(claims.iss)},"sub":${quotedName(claims.sub)},"aud":${quotedName(claims.aud)}` +
    `,"client_id":${quotedName(claims.client_id)},"iat":${claims.iat},"exp":${claims.exp}` +
    `,"jti":${quoted(claims.jti)},"txn":${quotedName(claims.txn)}${holder}${actor}` +
    `,"authorization_details":[${entryJson(claims.authorization_details[0])}]` +
    `,"status":{"status_list":{"idx":${idx},"uri":${quotedName(uri)}}}` +
    `,"${CLAIM.policy}":${jsonText(policy)}` +
    `,"${CLAIM.path}":{"tasks":[${quotedName(task)}],"agents":[${quotedName(agent)}],"owner":${quotedName(path.owner)}}${onBehalfOf}}`
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
      ? `"parameter_digest":${quoted(parameter_digest ?? '')}`
      : `"constraints":${JSON.stringify(constraints)}`
  return (
    `{"type":${quotedName(type)},"locations":[${quotedName(locations[0])}],"actions":[${quotedName(actions[0])}]` +
    `,"identifier":${quoted(identifier)},${parameters},"limits":${jsonText(limits)}}`
  )
}
