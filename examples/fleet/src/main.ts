import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { redisLedger } from '@hallpass/redis'
import { Redis } from 'ioredis'
import { balance } from './parts/balancer.ts'
import { count } from './parts/count.ts'
import { LEDGER } from './parts/ledger-options.ts'
import { newKey } from './parts/new-key.ts'
import { freePorts } from './parts/free-ports.ts'
import { endProcess, startProcess } from './parts/processes.ts'
import { startRedis } from './parts/redis.ts'
import type { FleetSetup } from './parts/setup.ts'
import { REFUNDS_PER_TASK } from './policy.ts'
import type { AgentReport } from './services/agent.ts'

const json = process.argv.includes('--json')
const say = (line = ''): void => {
  if (!json) console.log(line)
}
/** Longest that a call may be sent after a revocation was acknowledged, and still succeed: the clocks' grain. */
const GRAIN_MS = 2

const began = performance.now()
const seconds = (): string => ((performance.now() - began) / 1000).toFixed(1)
const directory = mkdtempSync(join(tmpdir(), 'hallpass-fleet-'))
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
globalThis
  .setTimeout(() => {
    console.error('The fleet did not finish within five minutes')
    process.exit(1)
  }, 300_000)
  .unref()

const [redisPort = 0, issuerPort = 0, apiPort = 0, ...ports] = await freePorts(8)
const keys = { broker: newKey('fleet-1'), 'day-bot': newKey('day-bot'), 'night-bot': newKey('night-bot') }
for (const [name, { privateJwk }] of Object.entries(keys)) {
  writeFileSync(join(directory, `${name}.key.json`), JSON.stringify(privateJwk), { mode: 0o600 })
}
const setup: FleetSetup = {
  directory,
  issuer: `http://127.0.0.1:${issuerPort}`,
  api: `http://127.0.0.1:${apiPort}`,
  redis: `redis://127.0.0.1:${redisPort}`,
  brokers: ports.slice(0, 2),
  apis: ports.slice(2, 5),
  agents: { 'day-bot': keys['day-bot'].publicJwk, 'night-bot': keys['night-bot'].publicJwk },
}
const file = join(directory, 'setup.json')
writeFileSync(file, JSON.stringify(setup))

const store = startRedis(redisPort, directory)
if (store === undefined) {
  console.error(
    'The fleet shares a Redis, and there is none here: install redis-server (Debian: apt-get install redis)',
  )
  process.exit(1)
}
running.add(store)
const redis = new Redis(setup.redis)
redis.on('error', () => undefined)
const ledger = await redisLedger({ ...LEDGER, client: redis })

async function start(role: 'broker' | 'api' | 'agent', index: number): Promise<ChildProcess> {
  const child = await startProcess(role, [file, String(index)])
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

say('Hallpass fleet: two brokers, three API replicas, one Redis, each a process of its own\n')
const brokers = await Promise.all([start('broker', 0), start('broker', 1)])
await balance(issuerPort, setup.brokers)
const apis = await Promise.all([start('api', 0), start('api', 1), start('api', 2)])
await balance(apiPort, setup.apis)
const agent = await start('agent', 0)
let report: AgentReport = { tasks: [], calls: 0, done: 0, refused: {}, night: { done: 0, lastSentAt: 0, stoppedAt: 0 } }
agent.on('message', (message) => {
  report = message as AgentReport
})

const up = (all: readonly ChildProcess[]): string =>
  all.map((child) => (child.exitCode === null && child.signalCode === null ? 'up' : '--')).join(' ')
say('   time   brokers   APIs       tasks   calls   done   refused   what happens')
const row = (what = ''): void => {
  const cells = [report.tasks.length, report.calls, report.done + report.night.done]
  const lost = Object.values(report.refused).reduce((sum, one) => sum + one, 0)
  const [tasks, calls, done] = cells.map(String)
  say(
    `${seconds().padStart(6)}s   ${up(brokers).padEnd(7)}   ${up(apis).padEnd(8)}   ${tasks?.padStart(5)}   ` +
      `${calls?.padStart(5)}   ${done?.padStart(4)}   ${String(lost).padStart(7)}   ${what}`,
  )
}
const table = setInterval(row, 1000)

row('everything answers')
await setTimeout(4000)
const [, victimApi] = apis
const [victim, survivor] = brokers
if (victimApi !== undefined) await endProcess(victimApi, 'SIGKILL')
row('kill -9 of API 2')
await setTimeout(3000)
apis[1] = await start('api', 1)
row('API 2 is back')
await setTimeout(1500)
await endProcess(victim, 'SIGKILL')
row('kill -9 of broker 1')
await setTimeout(3000)
const asked = Date.now()
const answered = once(survivor, 'message')
survivor.send('night-bot')
await answered
const acknowledged = Date.now()
row(`night-bot is revoked at broker 2, acknowledged after ${acknowledged - asked} ms`)
await setTimeout(2000)
brokers[0] = await start('broker', 0)
row('broker 1 is back')
await setTimeout(4000)

agent.send('over')
await once(agent, 'exit')
row('the agents are done; uses that died with their replica run out')
await setTimeout(5500)
clearInterval(table)
row('everything is asked to end')
for (const child of [...apis, ...brokers]) await endProcess(child, 'SIGTERM')

/** What the ledger says each task of the day was given. */
const states = await Promise.all(report.tasks.map(async (txn) => ledger.task(txn)))
const granted = states.map((state) => state?.uses['refund.create'] ?? 0)
redis.disconnect()
await endProcess(store, 'SIGTERM')

const { handled, uses, opened, broken } = await count(directory)
const perTask = new Map<string, number>()
for (const { txn } of handled) perTask.set(txn, (perTask.get(txn) ?? 0) + 1)
const day = handled.filter(({ agent: who }) => who === 'day-bot')
const allowed = report.tasks.length * REFUNDS_PER_TASK
const used = granted.reduce((sum, one) => sum + one, 0)
const tooMany = report.tasks.filter((txn) => (perTask.get(txn) ?? 0) > REFUNDS_PER_TASK).length
const unrecorded = handled.filter(({ event }) => !uses.has(event)).length
const lateMs = report.night.lastSentAt - acknowledged
const made = used + handled.filter(({ agent: who }) => who === 'night-bot').length
const untold = report.tasks.filter((txn) => !opened.has(txn)).length

const results = [
  {
    id: 'uses-granted-are-uses-allowed',
    ok: used === allowed && tooMany === 0 && allowed > 0,
    said: `${used} uses granted = ${allowed} allowed (${report.tasks.length} tasks x ${REFUNDS_PER_TASK}); ${day.length} ran, ${used - day.length} died with a replica, none twice`,
  },
  {
    id: 'revocation-delay',
    ok: report.night.done > 0 && report.night.stoppedAt > 0 && lateMs <= GRAIN_MS,
    said: `revoked in ${acknowledged - asked} ms; the last call that succeeded was sent ${-lateMs} ms before that was acknowledged; told after ${report.night.stoppedAt - asked} ms`,
  },
  {
    id: 'events-recorded-are-events-made',
    ok: unrecorded === 0 && untold === 0 && uses.size >= made && broken.length === 0,
    said: `${uses.size} uses recorded = ${made} made, ${report.tasks.length - untold} of ${report.tasks.length} tasks, ${broken.length} broken trails`,
  },
]
const isOk = results.every(({ ok }) => ok)
say()
for (const { id, ok, said } of results) say(`  ${ok ? 'ok   ' : 'WRONG'} ${id.padEnd(33)} ${said}`)
say(`\n${results.filter(({ ok }) => ok).length} of ${results.length} held, in ${seconds()} s`)
if (json) {
  const figures = {
    tasks: report.tasks.length,
    calls: report.calls,
    allowed,
    used,
    ran: day.length,
    uses: uses.size,
    made,
  }
  console.log(JSON.stringify({ ok: isOk, seconds: Number(seconds()), figures, refused: report.refused, results }))
}
process.exitCode = isOk ? 0 : 1
