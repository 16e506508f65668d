import type { RevocationTarget } from '@hallpass/core'
import type { Arguments, Option } from '../command/command.ts'
import { misused } from '../command/failure.ts'

/** Options that name what is meant; exactly one of them is given. */
export const TARGET_OPTIONS: Readonly<Record<string, Option>> = {
  grant: { type: 'string', value: 'JTI', help: 'One grant' },
  task: { type: 'string', value: 'TXN', help: 'One task and every grant in it' },
  agent: { type: 'string', value: 'ID', help: 'Every task of an agent; it gets no new ones until it is resumed' },
  owner: { type: 'string', value: 'OWNER', help: 'Every agent of an owner' },
  action: { type: 'string', value: 'NAME', help: 'Every grant for an action; with --audience' },
  'policy-version': { type: 'string', value: 'VERSION', help: 'Everything a policy version allowed' },
  everything: { type: 'boolean', help: 'Everything there is, and nothing new until it is resumed' },
}

const NEVER_TOKEN =
  ': never a token, which would be kept in the trail. The id is in the trail and in the `jti` and `txn` of the token'

/** The one target that was typed. */
export function targetFrom(args: Arguments): RevocationTarget {
  const given = Object.keys(TARGET_OPTIONS).filter((name) => args.flag(name) || args.text(name) !== undefined)
  const [kind, second] = given
  const all = Object.keys(TARGET_OPTIONS).map((name) => `--${name}`)
  if (kind === undefined || second !== undefined)
    throw misused(`Say what is meant with exactly one of ${all.join(', ')}`)
  const value = args.text(kind) ?? ''
  if (kind !== 'everything' && value === '') throw misused(`--${kind} needs a value`)
  if (kind === 'grant' && !/^gr_[\w-]+$/.test(value))
    throw misused(`--grant takes the id of a grant, such as gr_…${NEVER_TOKEN}`)
  if (kind === 'task' && !/^tsk_[\w-]+$/.test(value))
    throw misused(`--task takes the id of a task, such as tsk_…${NEVER_TOKEN}`)
  const audience = args.text('audience')
  if (audience !== undefined && kind !== 'action') throw misused('--audience goes with --action')
  switch (kind) {
    case 'grant':
      return { kind, jti: value }
    case 'task':
      return { kind, txn: value }
    case 'agent':
      return { kind, clientId: value }
    case 'owner':
      return { kind, owner: value }
    case 'action':
      if (audience === undefined) throw misused('--action needs --audience: the API whose action it is')
      return { kind, audience, action: value }
    case 'policy-version':
      return { kind, version: value }
    default:
      return { kind: 'everything' }
  }
}

/** The target in words. */
export function describeTarget(target: RevocationTarget): string {
  switch (target.kind) {
    case 'grant':
      return `grant ${target.jti}`
    case 'task':
      return `task ${target.txn}`
    case 'agent':
      return `agent ${target.clientId}`
    case 'owner':
      return `owner ${target.owner}`
    case 'action':
      return `action ${target.action} of ${target.audience}`
    case 'policy-version':
      return `policy version ${target.version}`
    case 'everything':
      break
  }
  return 'everything'
}
