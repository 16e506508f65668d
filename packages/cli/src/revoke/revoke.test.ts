import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hallpass, hallpassHere, initProject, start, temporaryDirectory } from '../../test/hallpass.ts'

/** A running broker, and an agent that keeps a task open until it hears of its end. */
async function runningProject() {
  const { cwd, issuer } = await initProject()
  const waiting = readFileSync(join(cwd, 'agent.ts'), 'utf8').replace(
    /async \(task\) => \{[^]*?\n\}\)/,
    `async (task) => {
      console.log(\`open \${task.txn}\`)
      const granted = await task.grant('order.read', { resource: 'order:1' })
      console.log(granted.ok ? 'granted' : 'refused')
      await new Promise((resolve) => process.stdin.once('never', resolve) && setTimeout(resolve, 60_000))
      return task.txn
    })`,
  )
  writeFileSync(join(cwd, 'waiting.ts'), waiting)
  const broker = start(['serve'], { cwd })
  await broker.until('answers at')
  return { cwd, issuer }
}
const revoke = (cwd: string, ...more: string[]) =>
  hallpassHere(['revoke', '--reason', 'drill', '--json', ...more], { cwd })
const answerOf = ({ stdout }: { stdout: string }) => JSON.parse(stdout) as Record<string, unknown>

describe('hallpass revoke', { timeout: 60_000 }, () => {
  test('says what a dry run would kill, kills it, and keeps agents stopped until they are resumed', async () => {
    const { cwd } = await runningProject()
    const agent = start(['run', 'waiting.ts'], { cwd })
    await agent.until('granted')
    const [, txn] = /open (tsk_\S+)/.exec(agent.stdout()) ?? []

    const dry = answerOf(
      await hallpass(['revoke', '--agent', 'support-bot', '--reason', 'x', '--dry-run', '--json'], { cwd }),
    )
    expect(dry).toMatchObject({ ok: true, dry_run: true, tasks: [txn], grants: [{ txn }] })
    const real = answerOf(await revoke(cwd, '--agent', 'support-bot'))
    expect(real).toMatchObject({ ok: true, dry_run: false, tasks: [txn], event: expect.stringMatching(/^ev_/) })
    expect(answerOf(await revoke(cwd, '--agent', 'support-bot'))).toMatchObject({ tasks: [], grants: [] })

    expect((await hallpass(['run', 'agent.ts'], { cwd })).stdout).toContain('no task (agent-revoked):')
    const resume = () => hallpass(['resume', '--agent', 'support-bot', '--reason', 'drill over'], { cwd })
    expect((await resume()).code).toBe(0)
    expect((await resume()).code).toBe(1)
    expect((await hallpass(['run', 'agent.ts'], { cwd })).stdout).toContain('is complete')

    const { stdout } = await hallpassHere(['audit', 'show', 'audit.jsonl', '--event', String(real['event'])], { cwd })
    expect(stdout).toContain('Revocation: drill')
    const path = await hallpassHere(['audit', 'show', 'audit.jsonl', '--task', txn ?? ''], { cwd })
    expect(path.stdout).toMatch(/granted[^]*ended: revoked/)
  })

  test('kills nothing for what nobody has, and says so', async () => {
    const { cwd } = await runningProject()
    const targets = [
      ['--grant', 'gr_none'],
      ['--task', 'tsk_none'],
      ['--owner', 'team:none'],
      ['--policy-version', '0'],
    ]
    const answers = []
    for (const target of targets) answers.push(await revoke(cwd, ...target))
    expect(answers.map((answer) => [answer.code, answerOf(answer)['tasks']])).toEqual(targets.map(() => [0, []]))
  })

  test('warns of an agent and an owner that the policy does not have, and stops them all the same', async () => {
    const { cwd } = await runningProject()
    const agent = await revoke(cwd, '--agent', 'suport-bot')
    expect(agent).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('no agent of this name; it has: support-bot'),
    })
    const owner = await revoke(cwd, '--owner', 'team:suport')
    expect(owner).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('no owner of this name; it has: team:support'),
    })
    expect(await revoke(cwd, '--agent', 'support-bot', '--dry-run')).toMatchObject({ code: 0, stderr: '' })
  })

  test('is for operators: an agent and an API are refused with keys of their own', async () => {
    const { cwd } = await runningProject()
    const as = (id: string) => revoke(cwd, '--everything', '--as', id, '--key', `keys/${id}.jwk.json`)
    const [agent, api, stranger] = [
      await as('support-bot'),
      await as('orders-api'),
      await revoke(cwd, '--everything', '--key', 'keys/support-bot.jwk.json'),
    ]
    expect([agent, api, stranger].map(({ code }) => code)).toEqual([1, 1, 1])
    expect((await hallpass(['run', 'agent.ts'], { cwd })).stdout).toContain('is complete')
  })

  test.each([
    ['no target', [], 2],
    ['two targets', ['--agent', 'a', '--everything'], 2],
    ['an empty target', ['--agent', ''], 2],
    ['an action without its API', ['--action', 'refund.create'], 2],
    ['an API without an action', ['--everything', '--audience', 'https://a.example'], 2],
  ])('refuses %s', async (_name, more, code) => {
    expect((await revoke(temporaryDirectory(), ...more)).code).toBe(code)
  })

  test.each(['http://broker.example', 'ftp://127.0.0.1.evil.example', 'broker'])(
    'sends no assertion to %s',
    async (issuer) => {
      const { cwd } = await initProject()
      expect(await revoke(cwd, '--everything', '--issuer', issuer)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('https'),
      })
    },
  )

  test('wants a reason, and resumes only what can be resumed', async () => {
    const cwd = temporaryDirectory()
    expect((await hallpassHere(['revoke', '--everything', '--reason', ' '], { cwd })).code).toBe(2)
    expect((await hallpassHere(['resume', '--grant', 'gr_1', '--reason', 'x'], { cwd })).code).toBe(2)
  })

  test('says what to do without a broker, without a key, and with something else at the address', async () => {
    const { cwd, issuer } = await initProject()
    expect(await revoke(cwd, '--everything', '--issuer', issuer)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('No broker answers'),
    })
    const other = createServer((_request, response) => response.end('hello'))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void other.close())
    const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
    expect(await revoke(cwd, '--everything', '--issuer', elsewhere)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no Hallpass broker'),
    })
    rmSync(join(cwd, 'keys/operator.jwk.json'))
    expect(await revoke(cwd, '--everything')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('hallpass keys generate --workload operator'),
    })
  })
})
