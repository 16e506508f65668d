import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createClient, signedAssertion } from '@hallpass/client'
import { defineApi, type TrailLine } from '@hallpass/core'
import { readTrail } from '@hallpass/core/file-trail'
import { createVerifier, protect } from '@hallpass/verifier'
import { brokerLedger } from '@hallpass/verifier/broker-ledger'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hallpass, initProject, start, type Project } from '../../test/hallpass.ts'

const orders = defineApi({
  audience: 'http://127.0.0.1:8711',
  actions: { 'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' } },
})

const identityOf = ({ cwd }: Project, clientId: string) =>
  signedAssertion({ clientId, key: JSON.parse(readFileSync(join(cwd, 'keys', `${clientId}.jwk.json`), 'utf8')) })

/** The agent and the API that init wrote, in this process; the broker is another. */
function world(project: Project) {
  const { issuer } = project
  const ledger = brokerLedger({ issuer, identity: identityOf(project, 'orders-api') })
  const verifier = createVerifier({ api: orders, issuer, ledger, audit: ledger })
  const handled: string[] = []
  const api = protect(verifier, 'order.read', (_request, { grant }) => {
    handled.push(grant.event)
    return new Response('an order')
  })
  const client = createClient({
    issuer,
    identity: identityOf(project, 'support-bot'),
    api: orders,
    fetch: async (request) => (request.url.startsWith(issuer) ? fetch(request) : api(request)),
  })
  onTestFinished(() => client.close().catch(() => undefined))
  return { client, handled, ledger }
}

async function linesOf(file: string): Promise<TrailLine[]> {
  const lines: TrailLine[] = []
  for await (const line of readTrail(file)) lines.push(JSON.parse(line) as TrailLine)
  return lines
}

interface Database {
  prepare(sql: string): { all(): unknown[] }
  close(): void
}

function usesIn(file: string): string[] {
  const { DatabaseSync } = createRequire(import.meta.url)('@photostructure/sqlite') as {
    DatabaseSync: new (path: string) => Database
  }
  const database = new DatabaseSync(file)
  const rows = database.prepare('SELECT event FROM hallpass_use').all() as { event: string }[]
  database.close()
  return rows.map(({ event }) => event)
}

describe('hallpass serve, asked to end under load', { timeout: 60_000 }, () => {
  test('loses no event, leaves no use half done, and cuts nobody off', async () => {
    const project = await initProject()
    const { cwd, issuer, change } = project
    change("ledger: 'memory'", "ledger: 'sqlite:hallpass.db', listen: { drainSeconds: 0.7 }")
    const broker = start(['serve'], { cwd })
    await broker.until('answers at')
    expect(broker.stderr()).toContain('SQLite hallpass.db')
    const { client, handled } = world(project)
    const outcomes: string[] = []
    const ready: number[] = []
    const over = new AbortController()

    await client
      .task({ purpose: 'support-ticket' }, async (task) => {
        const work = async (worker: number): Promise<void> => {
          for (let call = 0; !over.signal.aborted; call += 1) {
            const outcome = await task.call('order.read', { resource: `order:${worker}-${call}` })
            outcomes.push(outcome.ok ? String(outcome.response.status) : outcome.reason)
            if (!outcome.ok) return
          }
        }
        const workers = Array.from({ length: 12 }, async (_, worker) => work(worker))
        while (handled.length < 40) await setTimeout(10)
        broker.signal('SIGTERM')
        await broker.until('finishing')
        // It says so first, and still answers.
        const before = handled.length
        ready.push((await fetch(`${issuer}/readyz`)).status, (await fetch(`${issuer}/healthz`)).status)
        while (handled.length < before + 10 && broker.code() === null) await setTimeout(10)
        ready.push(handled.length - before)
        await broker.ended
        over.abort()
        await Promise.all(workers)
        return 'over'
      })
      .catch(() => undefined)

    expect(broker.code()).toBe(0)
    expect(ready.slice(0, 2)).toEqual([503, 200])
    expect(ready[2]).toBeGreaterThan(0)
    // An answer is whole, or it is a refusal because nobody is there: the agent heard it, or the API did.
    const others = outcomes.filter((outcome) => !['200', 'broker-unavailable', 'status-stale'].includes(outcome))
    expect(others).toEqual([])
    expect(outcomes.filter((outcome) => outcome === '200')).toHaveLength(handled.length)

    const lines = await linesOf(join(cwd, 'audit.jsonl'))
    const started = lines.filter(({ type }) => type === 'use.started').map(({ id }) => id)
    // Every handler that ran is on record, every use on record is in the ledger, and the ledger has no other.
    expect(started).toEqual(expect.arrayContaining(handled))
    expect(usesIn(join(cwd, 'hallpass.db')).toSorted()).toEqual(started.toSorted())
    expect((await hallpass(['audit', 'verify', 'audit.jsonl'], { cwd })).code).toBe(0)
  })

  test('cuts off what takes longer than its grace', async () => {
    const { cwd, issuer, change } = await initProject()
    change("ledger: 'memory'", "ledger: 'memory', listen: { graceSeconds: 0.3 }")
    const broker = start(['serve'], { cwd })
    await broker.until('answers at')
    const cut = new AbortController()
    onTestFinished(() => cut.abort())
    const endless = new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode('grant_type=')) })
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const sent = { method: 'POST', headers, body: endless, duplex: 'half', signal: cut.signal } as RequestInit
    const slow = fetch(`${issuer}/token`, sent).then(
      () => 'answered',
      () => 'cut off',
    )
    await setTimeout(100)
    broker.signal('SIGTERM')
    await broker.ended
    expect(broker.code()).toBe(0)
    expect(await slow).toBe('cut off')
  })
})

describe('hallpass serve with a ledger on disk', { timeout: 60_000 }, () => {
  test('goes on with a task after a restart', async () => {
    const project = await initProject()
    const { cwd, change } = project
    change("  ledger: 'memory',", '') // the file is what it takes when nothing is named
    const first = start(['serve'], { cwd })
    await first.until('SQLite hallpass.db')
    await first.until('answers at')
    const { client, handled } = world(project)
    const task = await client.openTask({ purpose: 'support-ticket' })
    if (!('call' in task)) throw new Error(task.reason)
    expect(await task.call('order.read', { resource: 'order:1' })).toMatchObject({ ok: true })
    first.signal('SIGTERM')
    await first.ended
    const second = start(['serve'], { cwd })
    await second.until('answers at')
    expect(await task.call('order.read', { resource: 'order:2' })).toMatchObject({ ok: true })
    expect(handled).toHaveLength(2)
    await task.complete()
  })
})
