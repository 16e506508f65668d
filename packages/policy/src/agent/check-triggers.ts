import { isCount, isName, isRecord, list } from '../definition/reader.ts'
import type { Problems } from '../definition/reader.ts'
import type { NonEmpty } from './agent.ts'
import type { Trigger, TriggerEffect } from './trigger.ts'

/** Members of each kind beside `on` and `effect`. */
const MEMBERS: Readonly<Record<Trigger['on'], readonly string[]>> = {
  'refused-requests': ['count', 'windowSeconds'],
  'out-of-scope': ['count', 'windowSeconds'],
  'proof-replayed': ['count', 'windowSeconds'],
  'used-after-end': ['count', 'windowSeconds'],
  'total-reached': [],
  velocity: ['calls', 'windowSeconds'],
  inactivity: ['seconds'],
  'posture-changed': [],
  signal: ['name'],
}
const EFFECTS: readonly TriggerEffect[] = ['revoke-grant', 'end-task', 'quarantine-agent']

const isKind = (value: unknown): value is Trigger['on'] => typeof value === 'string' && Object.hasOwn(MEMBERS, value)

/** Checks an agent's triggers and copies them. Undefined, with the problems reported, where one does not hold. */
export function checkTriggers(value: unknown, where: string, problems: Problems): NonEmpty<Trigger> | undefined {
  if (!Array.isArray(value) || value.length === 0) {
    problems.add(where, 'needs at least one trigger; defaultTriggers is a start')
    return undefined
  }
  const [first, ...rest] = (value as readonly unknown[]).map((trigger, index) =>
    checkTrigger(trigger, `${where}[${index}]`, problems),
  )
  return first === undefined ? undefined : Object.freeze([first, ...rest.filter((trigger) => trigger !== undefined)])
}

function checkTrigger(value: unknown, where: string, problems: Problems): Trigger | undefined {
  if (!isRecord(value) || !isKind(value['on'])) {
    problems.add(where, `'on' has to be one of ${list(Object.keys(MEMBERS))}`)
    return undefined
  }
  const members = MEMBERS[value['on']]
  problems.closed(value, where, ['on', ...members, 'effect'])
  if (!EFFECTS.includes(value['effect'] as TriggerEffect))
    problems.add(where, `'effect' has to be one of ${list(EFFECTS)}`)
  for (const name of members) {
    const fits = name === 'name' ? isName(value[name]) : isCount(value[name])
    if (!fits) problems.add(where, `'${name}' has to be a ${name === 'name' ? 'name' : 'positive whole number'}`)
  }
  return Object.freeze({ ...value }) as unknown as Trigger
}
