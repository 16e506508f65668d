import type { JsonObject, RevocationTarget } from '@hallpass/core'
import { printable } from '@hallpass/core'
import type { Policy } from '@hallpass/policy'
import type { Arguments, Command } from '../command/command.ts'
import { misused } from '../command/failure.ts'
import { OPERATOR_OPTIONS, operatorFrom } from './operator-identity.ts'
import { connectOperator } from './operator-link.ts'
import { TARGET_OPTIONS, describeTarget, targetFrom } from './target.ts'

const OPTIONS = {
  ...TARGET_OPTIONS,
  audience: { type: 'string', value: 'URL', help: 'The API of --action' },
  reason: { type: 'string', value: 'TEXT', help: 'Why, for the trail; required' },
} as const

function reasonFrom(args: Arguments): string {
  const reason = args.text('reason')?.trim() ?? ''
  if (reason === '') throw misused('Say why with --reason TEXT: it is kept in the trail')
  return reason
}

const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const some = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

function summary(answer: JsonObject, target: string, dryRun: boolean): string {
  const [tasks, grants] = [listed(answer['tasks']), listed(answer['grants'])]
  const counted = `${some(tasks.length, 'task')} and ${some(grants.length, 'grant')}`
  const names = tasks.slice(0, 20).map((txn) => `  ${printable(txn)}`)
  const more = tasks.length > 20 ? [`  and ${tasks.length - 20} more`] : []
  const event = typeof answer['event'] === 'string' ? [`Event ${printable(answer['event'])}`] : []
  const headline = dryRun ? `Would revoke ${target}: ${counted}. Nothing was done` : `Revoked ${target}: ${counted}`
  return [headline, ...names, ...more, ...event].join('\n')
}

/** Says that nobody here has this name: it is stopped all the same, and may not be what was meant. */
function strangerIn({ agents }: Policy, target: RevocationTarget): string | undefined {
  const owners = [...new Set(Object.values(agents).map(({ owner }) => owner))]
  const warn = (what: string, known: readonly string[]) =>
    `The policy of the configuration has no ${what} of this name; it has: ${known.join(', ')}`
  if (target.kind === 'agent' && !Object.hasOwn(agents, target.clientId)) return warn('agent', Object.keys(agents))
  return target.kind === 'owner' && !owners.includes(target.owner) ? warn('owner', owners) : undefined
}

export const revokeCommand: Command = {
  name: 'revoke',
  summary: 'Kill grants and tasks at a running broker',
  options: {
    ...OPTIONS,
    'dry-run': { type: 'boolean', help: 'Say what would be killed, and kill nothing' },
    ...OPERATOR_OPTIONS,
  },
  notes:
    'What was killed stays dead. Agents, owners, actions, policy versions and everything are stopped too, until\n' +
    '`hallpass resume`. Example: hallpass revoke --agent support-bot --reason "odd refunds" --dry-run',
  async run(args, output) {
    const target = targetFrom(args)
    const reason = reasonFrom(args)
    const dryRun = args.flag('dry-run')
    const { issuer, identity, policy } = await operatorFrom(args)
    const stranger = policy && strangerIn(policy, target)
    if (stranger !== undefined) output.warn(stranger)
    const link = await connectOperator(issuer, identity)
    const answer = await link.post('/revocations', { target, reason, dry_run: dryRun })
    output.result({ ok: true, ...answer })
    output.say(summary(answer, printable(describeTarget(target)), dryRun))
    return 0
  },
}

export const resumeCommand: Command = {
  name: 'resume',
  summary: 'Let what a wide revocation stopped go on; what was killed stays dead',
  options: { ...OPTIONS, ...OPERATOR_OPTIONS },
  notes: 'Exit code 1: nothing of the kind was stopped.',
  async run(args, output) {
    const target = targetFrom(args)
    if (target.kind === 'grant' || target.kind === 'task') throw misused(`A ${target.kind} that was revoked stays dead`)
    const reason = reasonFrom(args)
    const { issuer, identity } = await operatorFrom(args)
    const link = await connectOperator(issuer, identity)
    const { resumed } = await link.post('/revocations', { target, reason, resume: true })
    const words = printable(describeTarget(target))
    output.result({ ok: resumed === true, resumed: resumed === true })
    output.say(resumed === true ? `Resumed ${words}` : `Nothing was stopped: ${words}`)
    return resumed === true ? 0 : 1
  },
}
