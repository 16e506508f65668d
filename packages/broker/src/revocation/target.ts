import { HallpassError, isJsonObject, type JsonValue, type RevocationTarget } from '@hallpass/core'

/** What each member of a target looks like. Ids are ours: whoever names a grant by its token would have it in the trail. */
const NAME = /^[^]{1,512}$/
const GRANT = /^gr_[\w-]{1,64}$/
const TASK = /^tsk_[\w-]{1,64}$/

/** Members of each kind of target besides `kind`. */
const TARGETS: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  grant: { jti: GRANT },
  task: { txn: TASK },
  agent: { clientId: NAME },
  owner: { owner: NAME },
  action: { audience: NAME, action: NAME },
  'policy-version': { version: NAME },
  everything: {},
}

/** A target with exactly the members of its kind, or undefined. */
export function parseTarget(value: JsonValue | undefined): RevocationTarget | undefined {
  if (!isJsonObject(value) || typeof value['kind'] !== 'string' || !Object.hasOwn(TARGETS, value['kind']))
    return undefined
  const members = Object.entries(TARGETS[value['kind']] ?? {})
  const fits = members.every(([name, form]) => typeof value[name] === 'string' && form.test(value[name]))
  return fits && Object.keys(value).length === members.length + 1 ? (value as unknown as RevocationTarget) : undefined
}

/**
 * The target that a program of ours named.
 * @throws HallpassError `configuration-invalid` for one that names nothing, so that nobody takes it for done.
 */
export function targetOf(target: RevocationTarget): RevocationTarget {
  const parsed = parseTarget({ ...target })
  if (parsed !== undefined) return parsed
  throw new HallpassError(
    'configuration-invalid',
    'A revocation names its target by id: a grant by its `jti` (gr_…), a task by its `txn` (tsk_…), never by a token',
  )
}
