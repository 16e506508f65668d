import { describe, expect, test } from 'vitest'
import type { RedeemRequest, RevocationTarget } from './ledger.ts'
import { memoryLedger } from './memory-ledger.ts'

const NOW = 1_700_000_000
const CALLS = [{ id: 'calls', per: 'grant', max: 1 }] as const

describe('revoke() in a verifier that keeps its own store', () => {
  const signed = (iat: number): RedeemRequest => ({
    attempt: 'at',
    event: 'ev',
    audience: 'a',
    issuer: 'i',
    jti: 'gr',
    txn: 'tsk',
    clientId: 'bot',
    iat,
    exp: iat + 60,
    action: 'x',
    resource: 'r:1',
    source: 'signed',
    limits: CALLS,
    amounts: {},
  })

  // What it names may be issued until the end of its task, live the longest TTL, and two clocks may be apart twice.
  test.each<[RevocationTarget, number]>([
    [{ kind: 'grant', jti: 'gr' }, 900 + 2 * 5],
    [{ kind: 'task', txn: 'tsk' }, 60 + 900 + 2 * 5],
  ])('keeps %j for %d s', (target, seconds) => {
    const after = (seconds: number) => {
      let now = NOW
      const ledger = memoryLedger({
        exactFor: 'one-process',
        clock: () => now,
        maxTaskSeconds: 60,
        maxSkewSeconds: 5,
      })
      ledger.revoke(target, 'leaked')
      now += seconds
      ledger.resume({ kind: 'everything' }, 'forgets on the way')
      const answer = ledger.redeem(signed(now))
      return answer.ok ? 'ok' : answer.reason
    }
    expect([after(seconds - 0.5), after(seconds)]).toEqual(['grant-revoked', 'ok'])
  })
})

describe('endTask()', () => {
  test.each([
    [undefined, 'failed'],
    ['gave up', 'gave up'],
  ])('for the reason %j tells the log %j', (reason, told) => {
    const ledger = memoryLedger({ exactFor: 'one-process', clock: () => NOW })
    const own = { txn: 't', clientId: 'bot', owner: 'o', policy: { version: '1', digest: 'd' } }
    const task = { ...own, incarnation: ledger.incarnation, purpose: 'p', jkt: 'j', identity: { iss: 'i', sub: 's' } }
    ledger.openTask({ ...task, openedAt: NOW, deadline: NOW + 60 }, { maxOpenTasks: 1 })
    const grant = { ...own, incarnation: ledger.incarnation, issuer: 'i', jti: 'g', audience: 'a', action: 'x' }
    const status = { uri: 'u', idx: 0 }
    ledger.registerGrant({ ...grant, resource: 'r:1', iat: NOW, exp: NOW + 60, limits: CALLS, status })
    ledger.endTask('t', 'failed', reason)
    const { entries } = ledger.revocations({ limit: 9 }) as { entries: unknown }
    expect(entries).toMatchObject([{ kind: 'grant', jti: 'g', at: NOW, reason: told }])
    expect(ledger.grant('g')?.revoked).toEqual({ at: NOW, reason: told })
  })
})

test('revoke() throws for a target it does not know, in a dry run too', () => {
  const ledger = memoryLedger({ exactFor: 'one-process', clock: () => NOW })
  const dryRun = () => ledger.revoke({ kind: 'team' } as never, 'x', { dryRun: true })
  expect(dryRun).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
})
