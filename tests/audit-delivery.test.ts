import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { verifyTrail } from '@hallpass/core'
import type { TrailLine } from '@hallpass/core'
import { readTrail } from '@hallpass/core/file-trail'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'

// Real processes that run the built packages, over loopback, killed with SIGKILL.
const root = dirname(dirname(fileURLToPath(import.meta.url)))

const prelude = `
  import { defineApi, memoryLedger } from '@hallpass/core'
  import { localDev } from '@hallpass/core/local-dev'
  const input = JSON.parse(process.argv[1])
  const { folder, issuer } = input
  const say = (text) => process.stdout.write(text + '\\n')
  const AUDIENCE = 'https://orders.example'
  const identity = (name) => localDev(name, { audience: issuer, directory: folder + '/identities' })
`
const brokerCode = `${prelude}
  import { createBroker, generateSigningKeys } from '@hallpass/broker'
  import { defaultTriggers, definePolicy } from '@hallpass/policy'
  import { fileTrail } from '@hallpass/core/file-trail'
  import { serve } from '@hono/node-server'
  const orders = defineApi({ audience: AUDIENCE, actions: { 'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' } } })
  const policy = definePolicy({ api: orders, version: '1', purposes: ['test'],
    agents: { bot: { owner: 'team:a', identity: identity('bot'), approvers: ['group:b'], revokeOn: defaultTriggers } },
    rules: [{ id: 'read', action: 'order.read', effect: 'permit', limits: { calls: 1 } }] })
  const trail = fileTrail({ path: folder + '/broker.jsonl' })
  let batches = 0
  const dies = (moment) => { if (input.dies === moment && batches === input.batch) process.kill(process.pid, 'SIGKILL') }
  const audit = { ...trail, tail: trail.tail, append: (event) => trail.append(event),
    flush: async () => { dies('appended'); await trail.flush() } }
  const broker = createBroker({ issuer, policy, ledger: memoryLedger({ exactFor: 'one-process' }), audit,
    keys: generateSigningKeys(), apis: [{ api: orders, identity: identity('orders-api') }] })
  const fetch = async (request) => {
    const isAudit = new URL(request.url).pathname === '/audit'
    if (isAudit) batches += 1
    const response = await broker.fetch(request)
    // A moment of dying without an answer, though everything is done.
    if (isAudit) { dies('durable'); if (input.dies === 'durable' && batches === input.batch) await new Promise(() => {}) }
    return response
  }
  serve({ fetch, hostname: '127.0.0.1', port: Number(new URL(issuer).port) }, () => say('ready'))
`
const verifierCode = `${prelude}
  import { brokerLedger } from '@hallpass/verifier/broker-ledger'
  import { forwardingTrail } from '@hallpass/verifier/forwarding-trail'
  const to = brokerLedger({ issuer, identity: identity('orders-api'), timeoutMs: 1000 })
  const trail = forwardingTrail({ path: folder + '/spool', to, retryMs: 20, maxRetryMs: 200, segmentBytes: 16384 })
  const { from, count } = input
  for (let n = from; n < from + count; n += 8) {
    const ids = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => 'ev_' + String(n + i).padStart(8, '0'))
    await Promise.all(ids.map((id) => trail.append({ id, type: 'use.started', time: n, source: 'verifier:' + AUDIENCE + '#' + from, aud: AUDIENCE })))
    for (const id of ids) say(id)
  }
  await trail.delivered()
  await trail.close()
  say('delivered')
  process.exit(0)
`

let folder: string
let issuer: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hallpass-delivery-'))
  issuer = `http://127.0.0.1:${await freePort()}`
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function start(code: string, input: object) {
  const args = ['--input-type=module', '-e', code, JSON.stringify({ folder, issuer, ...input })]
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  const heard = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    for (const listener of heard) listener()
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  onTestFinished(kill)
  const said = () => output.split('\n').slice(0, -1)
  return {
    said,
    ended,
    kill,
    /** Resolves after so many lines, or at the end. */
    until: async (lines: number) =>
      Promise.race([
        ended,
        new Promise<void>((resolve) => {
          const look = () => void (said().length >= lines && (heard.delete(look), resolve()))
          heard.add(look)
          look()
        }),
      ]),
  }
}
const startBroker = async (input: object = {}) => {
  const broker = start(brokerCode, input)
  await broker.until(1)
  expect(broker.said()).toEqual(['ready'])
  return broker
}
const startVerifier = (from: number, count: number) => start(verifierCode, { from, count })
const recordedBy = (...verifiers: readonly { said(): string[] }[]) =>
  verifiers.flatMap((verifier) => verifier.said().filter((line) => line.startsWith('ev_')))

/** Everything acknowledged to a verifier is in the broker's trail, once, in the order of its chain, which is whole. */
async function expectEachOnce(acknowledged: readonly string[]): Promise<void> {
  const texts: string[] = []
  for await (const text of readTrail(join(folder, 'broker.jsonl'))) texts.push(text)
  const lines = texts.map((text) => JSON.parse(text) as TrailLine)
  const delivered = lines.filter(({ origin }) => origin !== undefined)
  expect(lines.filter(({ type }) => type === 'trail.gap')).toEqual([])
  expect(await verifyTrail(texts)).toMatchObject({
    ok: true,
    // The last verifier ended by itself, and signed for those before it as well.
    sources: [
      {
        first: 1,
        broken: 0,
        lines: delivered.length,
        head: { seq: delivered.length },
        vouched: { seq: delivered.length },
      },
    ],
  })
  const ids = delivered.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(acknowledged.filter((id) => !ids.includes(id))).toEqual([])
}

describe('events of a verifier in the broker’s trail', { timeout: 120_000 }, () => {
  test('are all there, once and in order, after 1,000 were recorded with the broker away', async () => {
    const verifier = startVerifier(1, 1000)
    await verifier.until(1000)
    await startBroker()
    await verifier.ended
    expect(verifier.said().at(-1)).toBe('delivered')
    await expectEachOnce(recordedBy(verifier))
  })

  test('are all there, once and in order, after the verifier was killed again and again', async () => {
    await startBroker()
    const killed = []
    for (const [round, lines] of [1, 40, 200].entries()) {
      const verifier = startVerifier(1 + round * 100_000, 50_000)
      await verifier.until(lines)
      await verifier.kill()
      killed.push(verifier)
    }
    const last = startVerifier(900_001, 16)
    await last.ended
    expect(last.said().at(-1)).toBe('delivered')
    await expectEachOnce(recordedBy(...killed, last))
  })

  test.each([
    ['before the batch is on disk', 'appended', 2],
    ['when the batch is on disk and not acknowledged', 'durable', 1],
    ['when a later batch is on disk and not acknowledged', 'durable', 3],
  ])('are all there, once and in order, after the broker was killed %s', async (_name, dies, batch) => {
    const broker = await startBroker({ dies, batch })
    const verifier = startVerifier(1, 400)
    await broker.ended
    await startBroker()
    await verifier.ended
    expect(verifier.said().at(-1)).toBe('delivered')
    await expectEachOnce(recordedBy(verifier))
  })

  test('are all there, once and in order, after both were killed while they worked', async () => {
    const verifiers = []
    for (const [round, lines] of [24, 120, 400].entries()) {
      const broker = await startBroker()
      const verifier = startVerifier(1 + round * 100_000, 50_000)
      await verifier.until(lines)
      await Promise.all(round % 2 === 0 ? [broker.kill(), verifier.kill()] : [verifier.kill(), broker.kill()])
      verifiers.push(verifier)
    }
    await startBroker()
    const last = startVerifier(900_001, 16)
    await last.ended
    expect(last.said().at(-1)).toBe('delivered')
    await expectEachOnce(recordedBy(...verifiers, last))
  })
})
