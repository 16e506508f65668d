import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AuditEvent } from '@hallpass/core'
import { fileTrail } from '@hallpass/core/file-trail'
import { beforeEach, describe, expect, test } from 'vitest'
import { hallpass, hallpassHere, temporaryDirectory } from '../../test/hallpass.ts'
import { createKeyRing } from '../keys/key-ring.ts'
import { signerOf } from '../keys/ring-signers.ts'

const task = { source: 'broker:https://b.example', txn: 'tsk_1', client_id: 'support-bot', owner: 'team:support' }
const story: readonly AuditEvent[] = [
  { ...task, id: 'ev_1', type: 'task.opened', time: 1750000000, purpose: 'support-ticket', note: '#1 \u001B[31m' },
  {
    ...task,
    id: 'ev_2',
    type: 'grant.refused',
    time: 1750000001,
    action: 'refund.create',
    resource: 'order:1',
    reason: 'no-rule-matched',
  },
  {
    source: task.source,
    txn: 'tsk_1',
    id: 'ev_3',
    type: 'task.ended',
    time: 1750000002,
    reason: 'completed',
    follows: 'ev_1',
  },
  {
    ...task,
    id: 'ev_4',
    type: 'task.opened',
    time: 1750000003,
    txn: 'tsk_2',
    client_id: 'night-bot',
    purpose: 'reports',
  },
]

let cwd: string
let published: string[]
/** A signed trail with its keys beside it, as `hallpass init` lays them out. */
beforeEach(async () => {
  cwd = temporaryDirectory()
  const directory = join(cwd, 'keys/broker')
  const ring = createKeyRing(directory)
  published = []
  const checkpoint = { signer: signerOf(directory, ring.current), publish: (jws: string) => void published.push(jws) }
  const trail = fileTrail({ path: join(cwd, 'audit.jsonl'), checkpoint })
  for (const event of story) await trail.append(event)
  await trail.close()
})

const file = () => join(cwd, 'audit.jsonl')
const lines = () => readFileSync(file(), 'utf8').split('\n').slice(0, -1)
const rewrite = (changed: readonly string[]) => writeFileSync(file(), `${changed.join('\n')}\n`)
const verify = (...more: string[]) => hallpassHere(['audit', 'verify', 'audit.jsonl', ...more], { cwd })
const show = (...more: string[]) => hallpassHere(['audit', 'show', 'audit.jsonl', ...more], { cwd })

describe('hallpass audit verify', { timeout: 60_000 }, () => {
  test('passes a whole trail with the keys beside it', async () => {
    const { code, stdout } = await hallpass(['audit', 'verify', 'audit.jsonl'], { cwd })
    expect(code).toBe(0)
    expect(stdout).toContain('5 lines, none altered')
    expect(stdout).toContain('the last vouches for line 4')
  })

  test.each([
    [
      'altered',
      'line 2 is altered',
      (all: readonly string[]) => all.with(1, (all[1] ?? '').replace('order:1', 'order:2')),
    ],
    ['without a line', 'line 2 is missing', (all: readonly string[]) => all.toSpliced(1, 1)],
    ['with a line twice', 'line 3 is repeated', (all: readonly string[]) => all.toSpliced(2, 0, all[1] ?? '')],
    ['that is text', 'line 6 is altered', (all: readonly string[]) => [...all, 'hello']],
  ])('names the line of a trail that is %s, with exit code 1', async (_name, words, change) => {
    rewrite(change(lines()))
    const { code, stdout } = await verify()
    expect(code).toBe(1)
    expect(stdout.toLowerCase()).toContain(words)
    expect(JSON.parse((await verify('--json')).stdout)).toMatchObject({ ok: false })
  })

  test('finds a cut-off end with a checkpoint kept elsewhere, and only so', async () => {
    const [checkpoint = ''] = published
    rewrite(lines().slice(0, 3))
    expect((await verify()).code).toBe(0)
    expect(await verify('--head', checkpoint)).toMatchObject({ code: 1, stdout: expect.stringContaining('truncated') })
  })

  test('takes a bare head, and refuses one that is neither', async () => {
    const head = JSON.parse(lines().at(-1) ?? '') as { seq: number; hash: string }
    expect(await verify('--head', `${head.seq}:${head.hash}`)).toMatchObject({ code: 0 })
    expect(await verify('--head', `${head.seq}:${'A'.repeat(43)}`)).toMatchObject({ code: 1 })
    expect(await verify('--head', 'nonsense')).toMatchObject({ code: 2 })
  })

  test('takes no checkpoint of a stranger for a head kept elsewhere', async () => {
    createKeyRing(join(cwd, 'other'))
    const { code, stderr } = await verify('--keys', 'other', '--head', published[0] ?? '')
    expect(code).toBe(1)
    expect(stderr).toContain('does not hold')
  })

  test('warns about keys that lie beside the trail, where a forger would put his', async () => {
    expect((await verify()).stdout).toContain('whoever can write both can forge both')
    expect((await verify('--keys', 'keys/broker')).stdout).not.toContain('whoever can write both')
  })

  test('takes no keys over a connection that anyone could change', async () => {
    expect(await verify('--keys', 'http://broker.example/jwks')).toMatchObject({ code: 2 })
  })

  test('says so when the keys are not the ones that signed', async () => {
    createKeyRing(join(cwd, 'other'))
    expect(await verify('--keys', 'other')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('checkpoint-key-unknown'),
    })
    writeFileSync(join(cwd, 'jwks.json'), '{"keys":[]}')
    expect(await verify('--keys', 'jwks.json')).toMatchObject({ code: 1 })
    writeFileSync(join(cwd, 'jwks.json'), '[]')
    expect(await verify('--keys', 'jwks.json')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not a JWK set'),
    })
    expect(await verify('--keys', 'nowhere')).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing at') })
  })
})

describe('hallpass audit show', { timeout: 60_000 }, () => {
  test('tells each task', async () => {
    const { code, stdout } = await show()
    expect(code).toBe(0)
    expect(stdout).toContain('no rule of the policy allows it')
    expect(stdout.match(/^Task tsk_/gm)).toHaveLength(2)
    expect(stdout).not.toContain('\u001B')
  })

  test('tells one task, or the tasks of one agent with events that do not name it', async () => {
    expect((await show('--task', 'tsk_2')).stdout).not.toContain('tsk_1')
    const { stdout } = await show('--agent', 'support-bot')
    expect(stdout).toContain('The task ended: completed')
    expect(stdout).not.toContain('night-bot')
  })

  test('tells one event in full, and what to do about it', async () => {
    const { stdout } = await show('--event', 'ev_2')
    expect(stdout).toContain('What to do: Nothing is allowed by default')
    expect(stdout).toContain('reason       no-rule-matched')
    const json = JSON.parse((await show('--event', 'ev_1', '--json')).stdout) as object
    expect(json).toMatchObject({ event: { id: 'ev_1' }, related: [{ id: 'ev_3' }] })
  })

  test('shows what can be read of an altered trail, warns, and answers 1', async () => {
    rewrite(lines().with(1, '{"type":5,"id":null,"txn":"tsk_1"}').with(2, 'garbage'))
    const { code, stdout, stderr } = await show()
    expect(code).toBe(1)
    expect(stdout).toContain('night-bot')
    expect(stderr).toContain('was altered. Line 2')
  })

  test.each([
    ['an unknown task', ['--task', 'tsk_9'], 1],
    ['an unknown event', ['--event', 'ev_9'], 1],
    ['an unknown agent', ['--agent', 'x'], 1],
    ['two at once', ['--agent', 'x', '--task', 'y'], 2],
  ])('refuses %s', async (_name, more, code) => {
    expect((await show(...more)).code).toBe(code)
  })
})
