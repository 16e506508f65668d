import assert from 'node:assert/strict'
import { createBroker, generateSigningKeys, type Broker } from '@hallpass/broker'
import { memoryLedger, memoryTrail } from '@hallpass/core'
import { wireAgent, type WireAgent } from '@hallpass/testing'
import type { VerifierOptions } from '@hallpass/verifier'
import { brokerLedger } from '@hallpass/verifier/broker-ledger'
import { feed } from '@hallpass/verifier/feed'
import { atEachDoor, once, type Scenario } from '../scenario.ts'
import { orders } from '../stage/api.ts'
import { answered, told, tokenOf, type Stage } from '../stage/stage.ts'

const MAX_STALENESS_SECONDS = 15
const idOf = (token: string): string =>
  (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { jti: string }).jti

interface OwnStore {
  readonly broker: Broker
  readonly agent: WireAgent
  /** Replaces how the verifier reaches the broker. */
  via: (request: Request) => Promise<Response>
}

/** An API whose verifier shares nothing with the broker but its keys and what the broker signs about revocations. */
async function ownStore(
  stage: Stage,
  revocation: VerifierOptions['revocation'] & object = { maxStalenessSeconds: MAX_STALENESS_SECONDS },
): Promise<OwnStore> {
  const { issuer, policy, clock } = stage.world
  const broker = createBroker({
    issuer,
    policy,
    ledger: memoryLedger({ exactFor: 'one-process', clock: clock.now }),
    keys: generateSigningKeys(),
    audit: memoryTrail(),
    apis: [{ api: orders, identity: stage.world.identity(orders.audience).registered, ledger: 'own' }],
    clock: clock.now,
    sweepSeconds: 0,
    feed: { heartbeatSeconds: 0.05 },
  })
  const identity = stage.world.identity('support-bot').source
  const agent = wireAgent({ issuer, identity, fetch: broker.fetch, clock: clock.now, key: stage.agent.key })
  const store: OwnStore = { broker, agent, via: (request) => broker.fetch(request) }
  await stage.mount({
    ledger: memoryLedger({ exactFor: 'one-process', clock: clock.now }),
    more: {
      issuer: { issuer, jwks: () => broker.jwks(), fetch: (request) => store.via(request) },
      revocation,
    },
  })
  // Past the boot rule: a ledger that has just started refuses what might be older than itself.
  clock.advance(60)
  return store
}

const readGrant = async ({ agent }: OwnStore): Promise<string> => {
  const task = tokenOf(await agent.open('support'))
  return tokenOf(await agent.exchange(task, { audience: orders.audience, action: 'order.read', resource: 'order:123' }))
}

/** What comes over a connection comes when it comes. */
async function soon(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000 && !isSo(); tries += 1) await new Promise((resolve) => setTimeout(resolve, 5))
  assert(isSo(), 'it came within five seconds')
}

/** Rules 3, 10 and 13: whose ledger it is, and how stale is too stale. */
export const ledgers: readonly Scenario[] = [
  atEachDoor(['ledger.caller'], 'redeems only for the API that asks', async (stage) => {
    const token = await stage.readGrant(await stage.task())
    const as = (id: string) => {
      const identity = stage.world.identity(id).source
      return brokerLedger({
        issuer: stage.world.issuer,
        identity,
        fetch: (input, init) => stage.world.fetch(input, init),
        clock: stage.clock.now,
      })
    }
    const foreign = as('https://stock.test')
    await stage.mount({ ledger: foreign, audit: memoryTrail() })
    assert.match(told(await stage.readOrder(token)), /^(401|503) /)
    assert.equal(stage.runs.length, 0)
    const own = as(orders.audience)
    await stage.mount({ ledger: own, audit: own })
    assert.equal(told(await stage.readOrder(token)), '200')
    assert.equal(stage.runs.length, 1)
  }),
  atEachDoor(
    ['dead.task-completed', 'count.calls', 'trail.everything'],
    'keeps its promises with the broker’s ledger over HTTP',
    async (stage) => {
      const ledger = brokerLedger({
        issuer: stage.world.issuer,
        identity: stage.world.identity(orders.audience).source,
        fetch: (input, init) => stage.world.fetch(input, init),
        clock: stage.clock.now,
      })
      await stage.mount({ ledger, audit: ledger })
      const task = await stage.task('count-7')
      const token = await stage.updateGrant(task)
      const answers = await Promise.all(Array.from({ length: 200 }, () => stage.update(token)))
      assert.equal(answers.filter(({ status }) => status === 200).length, 7)
      assert.equal(stage.runs.length, 7)
      await stage.agent.end(task, 'completed')
      assert.equal(told(await stage.update(token)), '401 task-closed')
      await ledger.flush()
      const types = (await stage.events()).map(({ type }) => type)
      assert.equal(types.filter((type) => type === 'use.started').length, 7)
      assert.equal(types.filter((type) => type === 'use.ended').length, 7)
    },
  ),
  once(['ledger.own'], 'charges what spans ledgers at issue', async (stage) => {
    const { agent } = await ownStore(stage)
    const task = tokenOf(await agent.open('support'))
    const ask = (amount: string) =>
      agent.exchange(task, {
        audience: orders.audience,
        action: 'refund.create',
        resource: 'order:123',
        parameters: { amount },
      })
    const first = await ask('45.00')
    const [entry] = first.body['authorization_details'] as [{ limits: { per: string }[] }]
    assert(
      entry.limits.every(({ per }) => per === 'grant'),
      'only what the verifier can count travels',
    )
    assert.equal(answered(await ask('45.00')), '400 access_denied limit-exceeded')
    assert.equal(told(await stage.refund(tokenOf(first), '45.00')), '200')
    assert.equal(told(await stage.refund(tokenOf(first), '45.00')), '401 grant-exhausted')
  }),
  atEachDoor(['stale.bound'], 'learns of a revocation within its bound, and refuses beyond it', async (stage) => {
    const store = await ownStore(stage)
    const token = await readGrant(store)
    const other = await readGrant(store)
    assert.equal(told(await stage.readOrder(token)), '200')
    await store.broker.revoke({ kind: 'grant', jti: idOf(token) }, 'drill')
    stage.clock.advance(MAX_STALENESS_SECONDS + 1)
    assert.equal(told(await stage.readOrder(token)), '401 grant-revoked')
    assert.equal(told(await stage.readOrder(other)), '200')
    store.via = () => Promise.reject(new Error('unreachable'))
    stage.clock.advance(MAX_STALENESS_SECONDS + 1)
    assert.equal(told(await stage.readOrder(other)), '503 cannot-verify')
  }),
  atEachDoor(['stale.rollback'], 'never goes back to an older list', async (stage) => {
    const store = await ownStore(stage)
    const token = await readGrant(store)
    let old: Response | undefined
    store.via = async (request) => {
      const response = await store.broker.fetch(request)
      old ??= response.clone()
      return response
    }
    assert.equal(told(await stage.readOrder(token)), '200')
    await store.broker.revoke({ kind: 'grant', jti: idOf(token) }, 'drill')
    stage.clock.advance(MAX_STALENESS_SECONDS + 1)
    assert.equal(told(await stage.readOrder(token)), '401 grant-revoked')
    stage.clock.advance(MAX_STALENESS_SECONDS + 1)
    store.via = async () => old?.clone() ?? Response.error()
    assert.match(told(await stage.readOrder(token)), /^(503 cannot-verify|401 grant-revoked|401 grant-invalid)$/)
    assert.equal(stage.runs.length, 1)
  }),
  atEachDoor(['stale.feed'], 'hears of a revocation by the feed, and refuses when it hears nothing', async (stage) => {
    const listening = feed({
      identity: stage.world.identity(orders.audience).source,
      maxStalenessSeconds: MAX_STALENESS_SECONDS,
    })
    try {
      const store = await ownStore(stage, listening)
      await soon(() => listening.status().state === 'live')
      const [token, other] = [await readGrant(store), await readGrant(store)]
      assert.equal(told(await stage.readOrder(token)), '200')
      await store.broker.revoke({ kind: 'grant', jti: idOf(token) }, 'drill')
      await soon(() => listening.status().lists === 1)
      assert.equal(told(await stage.readOrder(token)), '401 grant-revoked')
      assert.equal(told(await stage.readOrder(other)), '200')
      store.via = () => Promise.reject(new Error('unreachable'))
      await store.broker.close()
      stage.clock.advance(MAX_STALENESS_SECONDS - 1)
      assert.equal(told(await stage.readOrder(other)), '200')
      stage.clock.advance(2)
      assert.equal(told(await stage.readOrder(other)), '503 cannot-verify')
      assert.equal(told(await stage.readOrder(token)), '401 grant-revoked')
    } finally {
      listening.close()
    }
  }),
  once(['record.spool'], 'ends and revokes while the trail is down', async (stage) => {
    const { issuer, policy, clock } = stage.world
    const trail = memoryTrail()
    let isDown = false
    const broker = createBroker({
      issuer,
      policy,
      ledger: memoryLedger({ exactFor: 'one-process', clock: clock.now }),
      keys: generateSigningKeys(),
      audit: {
        ...trail,
        append: (event) => {
          if (isDown) throw new Error('the disk is full')
          return trail.append(event)
        },
      },
      clock: clock.now,
      sweepSeconds: 0,
    })
    const identity = stage.world.identity('support-bot').source
    const agent = wireAgent({ issuer, identity, fetch: broker.fetch, clock: clock.now })
    const [first, second] = [tokenOf(await agent.open('support')), tokenOf(await agent.open('support'))]
    isDown = true
    assert.equal((await agent.open('support')).status, 503, 'nothing new without a trail')
    assert.equal((await agent.end(first, 'completed')).status, 200)
    const killed = await broker.revoke({ kind: 'agent', clientId: 'support-bot' }, 'drill')
    assert.equal(killed.tasks.length, 1)
    isDown = false
    assert.match(
      answered(await agent.exchange(second, { audience: orders.audience, action: 'order.read', resource: 'order:1' })),
      /^400 /,
    )
    await broker.close()
    const types = (await trail.events()).map(({ type }) => type)
    assert(types.includes('task.ended') && types.includes('revocation.requested'), types.join(' '))
  }),
]
