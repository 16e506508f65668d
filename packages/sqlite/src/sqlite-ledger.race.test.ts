import { describe, expect, test } from 'vitest'
import { openHandle } from '../test/drivers.ts'
import { calls, openedTask, registeredGrant, requestFor } from '../test/records.ts'
import { startReplica } from '../test/replica.ts'
import { temporaryFile } from '../test/temporary-file.ts'
import { sqliteLedger } from './sqlite-ledger.ts'

const CLIENTS = 64
const ROUNDS = 3

const prelude = `
  import { DatabaseSync } from '@photostructure/sqlite'
  import { sqliteLedger } from '@hallpass/sqlite'
  const { path, requests, clients, rounds } = JSON.parse(process.argv[1])
  const ledger = sqliteLedger({ database: new DatabaseSync(path), busySeconds: 60 })
  const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n')
  let n = 0
  const use = (request, more) => { n += 1; const id = process.pid + '_' + n; return { ...request, attempt: 'at_' + id, event: 'ev_' + id, ...more } }
`

/** So many clients, each asking for every grant again and again. */
const race = `${prelude}
  const counts = requests.map(() => ({ first: 0, refused: {} }))
  await Promise.all(Array.from({ length: clients }, async () => {
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, request] of requests.entries()) {
        const answer = await ledger.redeem(use(request))
        if (answer.ok) counts[index].first += 1
        else counts[index].refused[answer.reason] = (counts[index].refused[answer.reason] ?? 0) + 1
      }
    }
  }))
  say(counts)
`

/** Uses without end; says each that was answered. */
const useForever = `${prelude}
  for (;;) {
    const answers = await Promise.all(Array.from({ length: clients }, () => ledger.redeem(use(requests[0]))))
    for (const answer of answers) if (answer.ok) say(answer.reservation)
    if (answers.every((answer) => !answer.ok)) break
  }
`

type Counts = { first: number; refused: Record<string, number> }[]

describe('sqliteLedger() in several processes', () => {
  test('lets exactly as many uses through as there are, one process paused on the way', async () => {
    const path = temporaryFile()
    const ledger = sqliteLedger({ database: openHandle(path), busySeconds: 60 })
    const task = await openedTask(ledger)
    const total = { id: 'total', per: 'task', max: 100, parameter: 'amount', scale: 2 } as const
    const agent = { id: 'day', per: 'agent', max: 50, window_seconds: 86_400 } as const
    const grants = [
      await registeredGrant(ledger, task, { limits: [calls(1)] }),
      await registeredGrant(ledger, task, { limits: [calls(7)] }),
      await registeredGrant(ledger, task, { limits: [calls(100)] }),
      await registeredGrant(ledger, task, { limits: [calls(10_000), total] }),
      await registeredGrant(ledger, task, { limits: [calls(10_000), total] }),
      await registeredGrant(ledger, task, { limits: [calls(10_000), agent] }),
      await registeredGrant(ledger, await openedTask(ledger), { limits: [calls(10_000), agent] }),
    ]
    const requests = grants.map((grant) => ({ ...requestFor(grant), amounts: { amount: 7 } }))
    const input = { path, requests, clients: CLIENTS, rounds: ROUNDS }
    const replicas = Array.from({ length: 4 }, () => startReplica(race, input))
    const pause = setInterval(() => {
      replicas[0]?.signal('SIGSTOP')
      setTimeout(() => replicas[0]?.signal('SIGCONT'), 100)
    }, 300)
    await Promise.all(replicas.map(({ ended }) => ended))
    clearInterval(pause)
    const counts = replicas.map((replica) => JSON.parse(replica.said()[0] ?? '[]') as Counts)
    const firsts = grants.map((_, index) => counts.reduce((sum, count) => sum + (count[index]?.first ?? 0), 0))
    expect(firsts.slice(0, 3)).toEqual([1, 7, 100])
    expect((firsts[3] ?? 0) + (firsts[4] ?? 0)).toBe(14)
    expect((firsts[5] ?? 0) + (firsts[6] ?? 0)).toBe(50)
    expect(await ledger.task(task.txn)).toMatchObject({ spent: { total: 98 } })
  }, 120_000)

  test('gives no use twice when a process is killed: what was answered is counted, the rest ends as unknown', async () => {
    const path = temporaryFile()
    const ledger = sqliteLedger({ database: openHandle(path), busySeconds: 60, leaseSeconds: 1 })
    const grant = await registeredGrant(ledger, await openedTask(ledger), { limits: [calls(3000)] })
    const input = { path, requests: [requestFor(grant)], clients: CLIENTS, rounds: 0 }
    const killed = startReplica(useForever, input)
    await killed.until(300)
    killed.signal('SIGKILL')
    await killed.ended
    const left = (await ledger.grant(grant.jti))?.usesLeft ?? Number.NaN
    expect(3000 - left).toBeGreaterThanOrEqual(killed.said().length)
    const rest = startReplica(useForever, input)
    await rest.ended
    expect(rest.said().length).toBe(left)
    expect(new Set([...killed.said(), ...rest.said()]).size).toBe(killed.said().length + left)
    expect(await ledger.grant(grant.jti)).toMatchObject({ usesLeft: 0 })
  }, 60_000)
})
