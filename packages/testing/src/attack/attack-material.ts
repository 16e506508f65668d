import type { JsonObject } from '@hallpass/core'
import { buildCall, findAction } from '@hallpass/core'
import type { TestWorld } from '../world/test-world.ts'
import type { AttackMaterial } from './attack.ts'

export interface HonestCall {
  readonly agent?: string
  readonly purpose: string
  readonly action: string
  readonly resource: string
  readonly parameters?: JsonObject
}

const partOf = (token: string, index: number): JsonObject =>
  JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString()) as JsonObject

/** Opens a task and gets a live grant for one honest call, with every key in the open. */
export async function attackMaterial(
  world: Pick<TestWorld, 'api' | 'broker' | 'brokerKey' | 'clock' | 'issuer' | 'wire'>,
  { agent, purpose, action: name, resource, parameters = {} }: HonestCall,
): Promise<AttackMaterial> {
  const action = findAction(world.api, name)
  if (action === undefined) throw new TypeError(`There is no action "${name}" in this world`)
  const built = buildCall(action, resource, parameters)
  if (!built.ok) throw new TypeError(`The honest call cannot be built: ${built.reason}`)
  const wire = world.wire(agent)
  const task = await wire.open(purpose)
  const taskToken = String(task.body['access_token'])
  const answer = await wire.exchange(taskToken, { audience: action.audience, action: name, resource, parameters })
  const token = answer.body['access_token']
  if (typeof token !== 'string')
    throw new TypeError(`The broker refused the honest call: ${JSON.stringify(answer.body)}`)
  const { method, path, query, body } = built.value
  return {
    now: world.clock.now(),
    issuer: world.issuer,
    audience: action.audience,
    method,
    url: action.audience.replace(/\/$/, '') + path.split('?', 1)[0],
    ...(query !== '' && { query }),
    ...(body !== undefined && { body }),
    token,
    header: partOf(token, 0),
    claims: partOf(token, 1),
    taskToken,
    brokerKey: world.brokerKey,
    holder: wire.key,
  }
}
