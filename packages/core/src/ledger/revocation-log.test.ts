import { describe, expect, test } from 'vitest'
import type { GrantRecord } from './ledger.ts'
import { RevocationLog } from './revocation-log.ts'

const record = (jti: string, exp = 160): GrantRecord => ({
  issuer: 'https://broker.example',
  jti,
  txn: 'tsk_1',
  clientId: 'support-bot',
  owner: 'team:support',
  audience: 'https://orders.example',
  action: 'refund.create',
  resource: 'order:123',
  iat: 100,
  exp,
  limits: [{ id: 'calls', per: 'grant', max: 1 }],
  policy: { version: '1', digest: 'sha-256:policy' },
  status: { uri: 'https://broker.example/status/1', idx: 7 },
  incarnation: 'mem_1',
})

const AGENT = { kind: 'agent', clientId: 'support-bot' } as const
const newLog = () => new RevocationLog({ incarnation: 'mem_1', maxSkewSeconds: 5 })
const at = (seconds: number) => ({ at: seconds, reason: 'incident' })
const read = (log: RevocationLog, after?: string) => log.read({ ...(after && { after }), limit: 10_000 }, 0)
const kinds = (log: RevocationLog, after?: string) => {
  const page = read(log, after)
  return page.state === 'gone' ? 'gone' : page.entries.map(({ kind }) => kind)
}

describe('RevocationLog', () => {
  test('forgets a grant once it has expired on every clock', () => {
    const log = newLog()
    log.killed([record('gr_1', 160), record('gr_2', 170)], at(100))
    log.forget(165)
    expect([log.size, kinds(log)]).toEqual([1, ['grant']])
    log.forget(175)
    expect(log.size).toBe(0)
  })

  test('keeps a stop while it stands, and what lifted it until its cut-off kills nothing any more', () => {
    const log = newLog()
    log.stopped(AGENT, at(100))
    log.stopped(AGENT, at(101))
    log.forget(1e9)
    expect(kinds(log)).toEqual(['stop'])
    log.lifted(AGENT, at(200))
    log.forget(200)
    expect(kinds(log)).toEqual(['lift'])
    log.forget(200 + 5 + 900 + 5)
    expect(log.size).toBe(0)
  })

  test('sends away a reader that may hold a stop whose lift is forgotten, and no other', () => {
    const log = newLog()
    const start = read(log)
    log.stopped(AGENT, at(100))
    const stopped = read(log)
    log.lifted(AGENT, at(200))
    const lifted = read(log)
    log.forget(2000)
    const cursors = [start, stopped, lifted].map((page) => (page.state === 'read' ? page.cursor : ''))
    expect(cursors.map((cursor) => kinds(log, cursor))).toEqual(['gone', 'gone', []])
  })

  test('is bounded by what is alive, without anybody asking', () => {
    const log = newLog()
    for (let second = 0; second < 20_000; second += 1) log.killed([record(`gr_${second}`, second + 60)], at(second))
    expect(log.size).toBeLessThan(2048)
  })

  test('goes on when a watcher throws', () => {
    const log = newLog()
    let wakes = 0
    log.watch(() => {
      throw new Error('a bad watcher')
    })
    log.watch(() => (wakes += 1))
    log.killed([record('gr_1')], at(100))
    expect([wakes, log.size]).toEqual([1, 1])
  })

  test.each(['mem_1.-1', 'mem_1.1e3', 'mem_1.01', 'mem_1.', 'mem_1.2', 'mem_2.0', 'mem_1.99999999999999999999'])(
    'does not go on from %s',
    (cursor) => {
      const log = newLog()
      log.killed([record('gr_1')], at(100))
      expect(read(log, cursor)).toEqual({ state: 'gone' })
    },
  )
})
