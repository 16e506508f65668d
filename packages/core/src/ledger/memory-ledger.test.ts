import { describe, expect, test } from 'vitest'
import { isPromise } from '../result.ts'
import type { MemoryLedgerOptions } from './ledger-options.ts'
import type { GrantRecord, RedeemRequest, TaskRecord } from './ledger.ts'
import type { MemoryLedger } from './memory-ledger.ts'
import { memoryLedger } from './memory-ledger.ts'

const START = 1_700_000_000
const ISSUER = 'https://broker.example'

/** A ledger on a fixed clock, with short ways to fill it. */
function scene(options: Partial<MemoryLedgerOptions> = {}) {
  const time = { now: START + 0.5 }
  const ledger = memoryLedger({ exactFor: 'one-process', clock: () => time.now, ...options })
  let ids = 0
  const next = () => (ids += 1)
  const open = (changes: Partial<TaskRecord> = {}) =>
    ledger.openTask(
      {
        txn: `tsk_${next()}`,
        clientId: 'bot',
        owner: 'team',
        purpose: 'p',
        jkt: 'j',
        identity: { iss: 'i', sub: 's' },
        openedAt: time.now,
        deadline: START + 3600,
        policy: { version: '1', digest: 'd' },
        incarnation: ledger.incarnation,
        ...changes,
      },
      { maxOpenTasks: 1000 },
    )
  const record = (changes: Partial<GrantRecord> = {}): GrantRecord => {
    const iat = Math.floor(time.now)
    return {
      issuer: ISSUER,
      jti: `gr_${next()}`,
      txn: 'tsk',
      clientId: 'bot',
      owner: 'team',
      audience: 'https://orders.example',
      action: 'a',
      resource: 'order:1',
      iat,
      exp: iat + 60,
      limits: [{ id: 'calls', per: 'grant', max: 1 }],
      policy: { version: '1', digest: 'd' },
      status: { uri: 'u', idx: 0 },
      incarnation: ledger.incarnation,
      ...changes,
    }
  }
  const request = (grant: GrantRecord, changes: Partial<RedeemRequest> = {}): RedeemRequest => ({
    attempt: `at_${next()}`,
    audience: grant.audience,
    issuer: grant.issuer,
    jti: grant.jti,
    txn: grant.txn,
    clientId: grant.clientId,
    iat: grant.iat,
    exp: grant.exp,
    action: grant.action,
    resource: grant.resource,
    source: 'registered',
    limits: grant.limits,
    amounts: {},
    event: `ev_${next()}`,
    ...changes,
  })
  /** A registered grant in a task of its own, or in `txn`. */
  const grant = (changes: Partial<GrantRecord> = {}) => {
    const opened = changes.txn === undefined ? open() : undefined
    return ledger.registerGrant(record({ ...(opened?.ok && { txn: opened.value.txn }), ...changes }))
  }
  const redeem = (granted: GrantRecord, changes: Partial<RedeemRequest> = {}) =>
    ledger.redeem(request(granted, changes))
  return { time, ledger, open, record, request, grant, redeem }
}

const reason = (answer: { readonly ok: boolean; readonly reason?: string }) => (answer.ok ? 'ok' : answer.reason)
const value = <T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false }): T => {
  if (!result.ok) throw new Error('The scene was refused')
  return result.value
}
const proof = (jti: string, now: number) => ({ jkt: 'j', jti, iat: Math.floor(now), acceptUntil: now + 60 })

/** Sweeps, and says that what was found is on record. */
function told(ledger: MemoryLedger) {
  const swept = ledger.sweep()
  ledger.acknowledge(swept.receipt)
  return swept
}

describe('memoryLedger()', () => {
  test('answers at once, never by promise', () => {
    const { ledger, open, grant, redeem } = scene()
    const granted = value(grant())
    const answers = [
      ledger.now(),
      open(),
      redeem(granted),
      ledger.task(granted.txn),
      ledger.grant(granted.jti),
      ledger.settle('r', { status: 200 }),
      ledger.giveBack('r', 'x'),
      ledger.markOnce('k', START + 60),
      ledger.bindKey('a', 'k', { maxKeys: 1, until: START + 60 }),
      ledger.revoke({ kind: 'everything' }, 'x'),
      ledger.resume({ kind: 'everything' }, 'x'),
      ledger.endTask(granted.txn, 'completed'),
      ledger.sweep(),
      ledger.sizes(),
      ledger.noteRefusal(granted.txn),
    ]
    expect(answers.filter((answer) => isPromise(answer as object))).toEqual([])
  })

  test('has a life of its own each time', () => {
    const lives = [scene(), scene()].map(({ ledger }) => ledger.incarnation)
    expect(new Set(lives).size).toBe(2)
  })

  test('says incarnation-mismatch for grants older than itself, grant-unknown for younger ones', () => {
    const { redeem, record } = scene()
    const iats = [START - 1, START]
    expect(iats.map((iat) => reason(redeem(record({ iat, exp: START + 60 }))))).toEqual([
      'incarnation-mismatch',
      'grant-unknown',
    ])
  })

  test('gives out reservations that nobody can guess from another', () => {
    const { grant, redeem } = scene()
    const limits = [{ id: 'calls', per: 'grant' as const, max: 500 }]
    const granted = value(grant({ limits }))
    const ids = Array.from({ length: 500 }, () => {
      const answer = redeem(granted)
      return answer.ok && answer.state === 'first' ? answer.reservation : ''
    })
    expect(new Set(ids).size).toBe(500)
    expect(ids.filter((id) => !/^res_[\w-]{24}$/.test(id))).toEqual([])
    expect(new Set(ids.map((id) => id.slice(4, 16))).size).toBe(500)
  })

  test('keeps what it was told apart from what the caller does to it afterwards', () => {
    const { ledger, grant, redeem } = scene()
    const limits = [{ id: 'calls', per: 'grant' as const, max: 1 }]
    const granted = value(grant({ limits }))
    Object.assign(limits[0] ?? {}, { max: 100 })
    expect([redeem(granted), redeem(granted)].map(reason)).toEqual(['ok', 'grant-exhausted'])
    expect(ledger.grant(granted.jti)?.usesLeft).toBe(0)
  })

  test('lets nobody move the deadline of a task it handed out', () => {
    const { time, open, record, grant, redeem } = scene()
    const task = value(open({ deadline: START + 10 }))
    expect(() => Object.assign(task, { deadline: START + 1000 })).toThrow(TypeError)
    const granted = value(grant({ ...record({ exp: START + 10 }), txn: task.txn }))
    time.now = START + 10
    expect(reason(redeem(granted))).not.toBe('ok')
  })
})

describe('memoryLedger() when full', () => {
  test('opens no task, and takes the next when one is forgotten', () => {
    const { time, ledger, open } = scene({ maxTasks: 2 })
    const first = value(open())
    expect([open(), open()].map(reason)).toEqual(['ok', 'ledger-full'])
    ledger.endTask(first.txn, 'completed')
    expect(reason(open())).toBe('ledger-full')
    time.now += 60
    expect([open(), open()].map(reason)).toEqual(['ok', 'ledger-full'])
  })

  test('registers no grant, and takes the next when one has expired and was swept', () => {
    const { time, ledger, open, grant } = scene({ maxGrants: 2 })
    const { txn } = value(open())
    expect([1, 2, 3].map(() => reason(grant({ txn })))).toEqual(['ok', 'ok', 'ledger-full'])
    time.now += 60
    expect(reason(grant({ txn }))).toBe('ledger-full')
    expect(told(ledger).grants).toHaveLength(2)
    expect([1, 2, 3].map(() => reason(grant({ txn })))).toEqual(['ok', 'ok', 'ledger-full'])
  })

  test('redeems nothing whose proof it could not remember, and charges nothing', () => {
    const { time, ledger, grant, redeem } = scene({ maxProofs: 1 })
    const granted = value(grant({ limits: [{ id: 'calls', per: 'grant', max: 5 }] }))
    const answers = ['p1', 'p2', 'p1'].map((jti) => redeem(granted, { proof: proof(jti, time.now) }))
    expect(answers.map(reason)).toEqual(['ok', 'ledger-full', 'proof-replayed'])
    expect(ledger.grant(granted.jti)?.usesLeft).toBe(4)
  })

  test('redeems nothing it could not remember as a use, but answers retries', () => {
    const { ledger, grant, redeem } = scene({ maxUses: 2 })
    const granted = value(grant({ limits: [{ id: 'calls', per: 'grant', max: 9 }] }))
    const keys = ['a', 'b', 'c', 'a'].map((key) => redeem(granted, { idempotency: { key, digest: 'd' } }))
    expect(keys.map((answer) => (answer.ok ? answer.state : answer.reason))).toEqual([
      'first',
      'first',
      'ledger-full',
      'running',
    ])
    expect(ledger.grant(granted.jti)?.usesLeft).toBe(7)
  })

  test('counts a use nobody knows the end of until it is swept', () => {
    const { time, ledger, open, grant, redeem } = scene({ maxUses: 1, leaseSeconds: 10 })
    const { txn } = value(open())
    redeem(value(grant({ txn })))
    time.now += 70
    expect(reason(redeem(value(grant({ txn }))))).toBe('ledger-full')
    expect(told(ledger).unknownUses).toHaveLength(1)
    expect(reason(redeem(value(grant({ txn }))))).toBe('ok')
  })

  test('takes no more signed grants, and no more of their tasks', () => {
    const { time, redeem, record } = scene({ maxGrants: 2, maxTasks: 1 })
    time.now += 10
    const signed = { source: 'signed', idempotency: { key: 'k', digest: 'd' } } as const
    const grants = [record({ txn: 'one' }), record({ txn: 'two' }), record({ txn: 'one' })]
    expect(grants.map((each) => reason(redeem(each, signed)))).toEqual(['ok', 'ledger-full', 'ledger-full'])
  })

  test('still ends, revokes and stops', () => {
    const { ledger, open } = scene({ maxTasks: 1, maxGrants: 1, maxUses: 1, maxProofs: 1 })
    const { txn } = value(open())
    ledger.markOnce('k', START + 60)
    expect(ledger.revoke({ kind: 'agent', clientId: 'bot' }, 'x').tasks).toEqual([txn])
    expect(reason(open())).toBe('agent-revoked')
  })
})

describe('memoryLedger() forgets', () => {
  test('everything that is over, down to nothing', () => {
    const { time, ledger, open, grant, redeem } = scene()
    for (let n = 0; n < 50; n += 1) {
      const { txn } = value(open({ clientId: `bot-${n}`, deadline: START + 100 + n }))
      const granted = value(grant({ txn, clientId: `bot-${n}` }))
      const answer = redeem(granted, { proof: proof(`p${n}`, time.now), idempotency: { key: 'k', digest: 'd' } })
      ledger.settle(answer.ok && answer.state === 'first' ? answer.reservation : '', {
        status: 200,
        body: 'x'.repeat(99),
      })
      ledger.markOnce(`m${n}`, time.now + 60)
      ledger.bindKey(`b${n}`, 'k', { maxKeys: 1, until: time.now + 60 })
    }
    const before = ledger.sizes()
    expect(before).toMatchObject({
      tasks: 50,
      agents: 50,
      grants: 50,
      uses: 50,
      repeats: 50,
      outcomeChars: 50 * 99,
      proofs: 50,
      marks: 50,
    })
    time.now += 400
    told(ledger)
    // Tasks that ran out end now, and are known as ended for a while.
    time.now += 400
    told(ledger)
    expect(ledger.sizes()).toEqual({
      tasks: 0,
      agents: 0,
      grants: 0,
      uses: 0,
      running: 0,
      repeats: 0,
      outcomeChars: 0,
      proofs: 0,
      marks: 0,
      bindings: 0,
      revocations: 0,
      unswept: 0,
    })
  })

  test('signed grants at their expiry and their keys at the deadline', () => {
    const { time, ledger, redeem, record } = scene()
    time.now += 10
    const deadline = START + 300
    redeem(record(), { source: 'signed', deadline, idempotency: { key: 'k', digest: 'd' } })
    expect(ledger.sizes()).toMatchObject({ grants: 1, uses: 1, repeats: 1 })
    time.now = START + 100
    told(ledger)
    expect(ledger.sizes()).toMatchObject({ grants: 0, uses: 0, repeats: 1 })
    time.now = deadline
    told(ledger)
    expect(ledger.sizes()).toMatchObject({ repeats: 0 })
  })

  test('a little with each call, never all at once', () => {
    const { time, ledger, open, grant } = scene()
    const { txn } = value(open())
    for (let n = 0; n < 1000; n += 1) grant({ txn })
    time.now += 61
    ledger.now()
    const left = Number(ledger.sizes()['grants'])
    expect(left).toBeGreaterThan(900)
    for (let n = 0; n < 300; n += 1) ledger.now()
    expect(ledger.sizes()['grants']).toBe(0)
  })

  test('an agent only when its windows are over: opening and ending tasks resets no limit', () => {
    const { time, ledger, open, grant, redeem } = scene()
    const limits = [
      { id: 'calls', per: 'grant' as const, max: 1 },
      { id: 'day', per: 'agent' as const, max: 1, window_seconds: 86_400 },
    ]
    const { txn } = value(open())
    redeem(value(grant({ txn, limits })))
    ledger.endTask(txn, 'completed')
    time.now += 1000
    told(ledger)
    expect(ledger.sizes()).toMatchObject({ tasks: 0, grants: 0 })
    expect(reason(redeem(value(grant({ limits }))))).toBe('limit-exceeded')
  })
})

describe('memoryLedger() leases', () => {
  test('are over on time for everybody, however many end at once', () => {
    const { time, ledger, grant, request } = scene({ leaseSeconds: 10 })
    const granted = value(grant({ limits: [{ id: 'calls', per: 'grant', max: 100 }] }))
    const requests = Array.from({ length: 100 }, (_, n) =>
      request(granted, { idempotency: { key: `k${n}`, digest: 'd' } }),
    )
    const answers = requests.map((each) => ledger.redeem(each))
    time.now += 10
    const [settled, returned, resent, repeated] = [99, 98, 97, 96] as const
    const reservation = (n: number) => {
      const answer = answers[n]
      return answer?.ok && answer.state === 'first' ? answer.reservation : ''
    }
    ledger.settle(reservation(settled), { status: 200 })
    expect(ledger.giveBack(reservation(returned), 'late')).toBe(false)
    const again = [
      ledger.redeem(request(granted, { idempotency: { key: `k${settled}`, digest: 'd' } })),
      ledger.redeem(requests[resent] ?? request(granted)),
      ledger.redeem(request(granted, { idempotency: { key: `k${repeated}`, digest: 'd' } })),
    ]
    expect(again.map((answer) => answer.ok && answer.state)).toEqual(['unknown', 'unknown', 'unknown'])
    expect(ledger.sweep().unknownUses).toHaveLength(100)
  })

  test('are forgotten as soon as their use is over', () => {
    const { ledger, grant, redeem } = scene()
    const granted = value(grant({ limits: [{ id: 'calls', per: 'grant', max: 9 }] }))
    const [settled, returned] = [redeem(granted), redeem(granted)]
    ledger.settle(settled.ok && settled.state === 'first' ? settled.reservation : '', { status: 200 })
    ledger.giveBack(returned.ok && returned.state === 'first' ? returned.reservation : '', 'x')
    expect(ledger.sizes()).toMatchObject({ running: 0, uses: 2 })
  })
})

describe('memoryLedger() outcomes', () => {
  const DONE = { idempotency: { key: 'k', digest: 'd' } }

  test('keeps no body that is long, and none that nobody can ask for', () => {
    const { ledger, grant, redeem } = scene()
    const granted = value(grant())
    const answer = redeem(granted, DONE)
    const reservation = answer.ok && answer.state === 'first' ? answer.reservation : ''
    ledger.settle(reservation, { status: 200, contentType: 'text/plain', body: 'x'.repeat(16_385) })
    expect(redeem(granted, DONE)).toMatchObject({ state: 'done', outcome: { status: 200, contentType: 'text/plain' } })
    expect(redeem(granted, DONE)).not.toHaveProperty('outcome.body')
  })

  test('keeps nothing for a task that is forgotten by the time its handler is done', () => {
    const { time, ledger, grant, redeem } = scene({ leaseSeconds: 3600 })
    const granted = value(grant())
    const answer = redeem(granted, DONE)
    ledger.endTask(granted.txn, 'completed')
    time.now += 200
    told(ledger)
    ledger.settle(answer.ok && answer.state === 'first' ? answer.reservation : '', { status: 200, body: 'late' })
    expect(ledger.sizes()).toMatchObject({ tasks: 0, repeats: 0, running: 0, outcomeChars: 0 })
  })
})

describe('memoryLedger() as an own store', () => {
  test('refuses a grant that outlives what is remembered of its task', () => {
    const { time, redeem, record } = scene({ maxTaskSeconds: 60 })
    time.now += 10
    const keyed = { source: 'signed', idempotency: { key: 'k', digest: 'd' } } as const
    const iat = Math.floor(time.now)
    expect(reason(redeem(record({ txn: 'a', exp: iat + 61 }), keyed))).toBe('lifetime-exceeded')
    expect(reason(redeem(record({ txn: 'b', exp: iat + 60 }), keyed))).toBe('ok')
    time.now += 20
    expect(reason(redeem(record({ txn: 'b', exp: iat + 80 }), keyed))).toBe('lifetime-exceeded')
  })

  test('keeps a revocation for as long as what it names could be used', () => {
    const { time, ledger, redeem, record } = scene()
    time.now += 10
    ledger.revoke({ kind: 'task', txn: 'tsk' }, 'x')
    time.now += 86_400
    ledger.revoke({ kind: 'grant', jti: 'another' }, 'x')
    expect(reason(redeem(record(), { source: 'signed' }))).toBe('grant-revoked')
  })

  test('counts what one issuer signs apart from what another does', () => {
    const { time, redeem, record } = scene()
    time.now += 10
    const one = record()
    const other = { ...one, issuer: 'https://another.example' }
    const answers = [one, other, one].map((each) => redeem(each, { source: 'signed' }))
    expect(answers.map(reason)).toEqual(['ok', 'ok', 'grant-exhausted'])
  })
})

describe('memoryLedger() revocations', () => {
  test('throws for a target it does not know, instead of revoking nothing', () => {
    const { ledger } = scene()
    const revoke = () => ledger.revoke({ kind: 'team' } as never, 'x')
    expect(revoke).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })

  test('forgets what was lifted once nothing it killed can live', () => {
    const { time, ledger, redeem, record } = scene()
    time.now += 10
    const owner = { kind: 'owner', owner: 'elsewhere' } as const
    ledger.revoke(owner, 'x')
    ledger.resume(owner, 'x')
    expect(reason(redeem(record(), { source: 'signed' }))).toBe('grant-revoked')
    time.now += 1000
    ledger.resume(owner, 'x')
    expect(reason(redeem(record(), { source: 'signed' }))).toBe('ok')
  })
})
