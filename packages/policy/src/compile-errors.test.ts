import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const folder = join(root, `.tmp/policy-errors-${process.pid}`)

const frame = (rule: string, agent: string) => `
import { decimal, defineApi } from '@hallpass/core'
import { defaultTriggers, definePolicy } from '@hallpass/policy'
import { z } from 'zod'

const orders = defineApi({
  audience: 'https://orders.example',
  actions: {
    'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' },
    'order.search': { route: 'GET /customers/{id}/orders', resource: 'customer:{id}', risk: 'read', parameters: z.object({ status: z.string() }) },
    'refund.create': { route: 'POST /orders/{id}/refund', resource: 'order:{id}', risk: 'write', parameters: z.object({ amount: decimal() }) },
  },
})
const identity = { kind: 'spiffe', id: 'spiffe://acme.example/bot', audience: 'https://broker.example', bundle: 'https://acme.example/bundle' } as const
declare function inTheDatabase(): Promise<boolean>
export const needed = { identity, defaultTriggers, inTheDatabase }

export const policy = definePolicy({
  api: orders,
  version: '1',
  purposes: ['support-ticket', 'triage'],
  agents: { 'support-bot': { ${agent} } },
  facts: { account: { load: async () => ({ tier: 'gold' }), timeoutMs: 100 } },
  rules: [
    { id: 'small-refund', ${rule} },
  ],
})
`

const agent = "owner: 'team:support', identity, approvers: ['group:leads'], revokeOn: defaultTriggers"
const refund = "action: 'refund.create', effect: 'permit'"

/** What an author may get wrong, and the word the compiler has to name. */
const mistakes: readonly (readonly [name: string, word: string, rule: string, agent?: string])[] = [
  ['action', 'refund.creat', "action: 'refund.creat', effect: 'permit', when: (r) => r.parameters.amount.lte('50.00')"],
  ['one of several actions', 'refund.creat', "actions: ['order.read', 'refund.creat'], effect: 'permit'"],
  ['parameter', 'amonut', `${refund}, when: (r) => r.parameters.amonut.lte('50.00')`],
  ['resource kind', 'ordr', `${refund}, resources: ['ordr:*']`],
  ['resource kind in a predicate', 'ordr', `${refund}, when: (r) => r.resource === 'ordr:1'`],
  ['purpose', 'tirage', `${refund}, purposes: ['tirage']`],
  ['purpose in a predicate', 'tirage', `${refund}, when: (r) => r.purpose === 'tirage'`],
  ['agent', 'suport-bot', `${refund}, agents: ['suport-bot']`],
  ['fact', 'acount', `${refund}, needs: ['acount']`],
  ['fact it does not need', 'account', `${refund}, when: (r) => r.facts.account.tier === 'gold'`],
  ['member', 'efect', "action: 'refund.create', efect: 'permit'"],
  ['effect', 'allow', "action: 'refund.create', effect: 'allow'"],
  ['total', 'note', `${refund}, limits: { totals: { note: '5.00' } }`],
  ['constraint', 'prefix', `${refund}, grant: { parameters: { amount: { prefix: '5' } } }`],
  ['environment nobody declared', 'EnvironmentsNotDeclared', `${refund}, when: (r) => r.environment === 'production'`],
  ['note', "'note'", `${refund}, when: (r) => r.note === 'please'`],
  ['async predicate', 'Promise<boolean>', `${refund}, when: async (r) => r.parameters.amount.lte('50.00')`],
  ['async predicate through inference', 'Promise<boolean>', `${refund}, when: () => inTheDatabase()`],
  ['decimal under an operator', '<=', `${refund}, when: (r) => r.parameters.amount <= '50'`],
  ['decimal against a number', '<=', `${refund}, when: (r) => r.parameters.amount <= 50`],
  ['no owner', "'owner'", refund, agent.replace("owner: 'team:support', ", '')],
  ['no approvers', "'approvers'", refund, agent.replace("approvers: ['group:leads'], ", '')],
  ['an empty approval path', 'NonEmpty', refund, agent.replace("['group:leads']", '[]')],
  ['no triggers', "'revokeOn'", refund, agent.replace(', revokeOn: defaultTriggers', '')],
]

const fileOf = (index: number): string => `mistake-${index}.ts`

/** Lines the compiler prints about each file. */
function compile(): ReadonlyMap<string, readonly string[]> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], {
    encoding: 'utf8',
    cwd: folder,
  })
  const lines = new Map<string, string[]>()
  let current: string[] | undefined
  for (const line of stdout.split('\n').filter((text) => text !== '')) {
    const file = /^([\w-]+\.ts)\(/.exec(line)?.[1]
    if (file !== undefined) lines.set(file, (current = lines.get(file) ?? []))
    current?.push(line)
  }
  return lines
}

describe('the compiler names the word, in under six lines', () => {
  let errors: ReadonlyMap<string, readonly string[]> = new Map()

  beforeAll(() => {
    mkdirSync(folder, { recursive: true })
    mistakes.forEach(([, , rule, own = agent], index) => writeFileSync(join(folder, fileOf(index)), frame(rule, own)))
    writeFileSync(join(folder, 'right.ts'), frame(`${refund}, when: (r) => r.parameters.amount.lte('50.00')`, agent))
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: '../../tsconfig.base.json',
        compilerOptions: { noEmit: true, types: [] },
        include: ['*.ts'],
      }),
    )
    errors = compile()
  }, 120_000)

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('nothing about a policy that is right', () => {
    expect(errors.get('right.ts')).toBeUndefined()
  })

  test.each(mistakes.map(([name, word], index) => ({ name, word, file: fileOf(index) })))(
    '$name: $word',
    ({ word, file }) => {
      const lines = errors.get(file) ?? []
      expect(lines.join('\n')).toContain(word)
      expect(lines.length).toBeLessThan(6)
    },
  )
})
