import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChain, memoryTrail, sentLine, verifyTrail, type AuditEvent, type TrailLine } from '@hallpass/core'
import { brokerLedger } from '@hallpass/verifier/broker-ledger'
import { forwardingTrail } from '@hallpass/verifier/forwarding-trail'
import { atEachDoor, once, type Scenario } from '../scenario.ts'
import { told, type Stage } from '../stage/stage.ts'

const types = async (stage: Stage, txn?: string): Promise<readonly string[]> =>
  (await stage.events()).filter((event) => txn === undefined || event.txn === txn).map(({ type }) => type)
const txnOf = (token: string): string =>
  (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { txn: string }).txn

/** Never 9 and 10, rules 10 and 11: everything on record, nothing secret in it. */
export const record: readonly Scenario[] = [
  atEachDoor(['trail.everything'], 'tells a task from its opening to its end', async (stage) => {
    const task = await stage.task()
    const token = await stage.refundGrant(task)
    await stage.refund(token)
    await stage.refund(token)
    await stage.ask(task, { action: 'refund.create', resource: 'order:123', parameters: { amount: '50.01' } })
    await stage.world.broker.revoke(
      { kind: 'grant', jti: String(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).jti) },
      'drill',
    )
    await stage.agent.end(task, 'completed')
    const seen = await types(stage, txnOf(task))
    for (const type of [
      'task.opened',
      'grant.issued',
      'use.started',
      'use.ended',
      'use.refused',
      'grant.refused',
      'grant.revoked',
      'task.ended',
    ]) {
      assert(seen.includes(type), `${type} in ${seen.join(' ')}`)
    }
  }),
  atEachDoor(['record.before'], 'has the use on record before the handler runs, the outcome after', async (stage) => {
    const events: AuditEvent[] = []
    const trail = memoryTrail()
    const atHandler: string[][] = []
    await stage.mount({
      audit: { ...trail, append: (event) => void events.push(event) },
      handle: () => {
        atHandler.push(events.map(({ type }) => type))
        return {}
      },
    })
    assert.equal(told(await stage.readOrder(await stage.readGrant(await stage.task()))), '200')
    assert.deepEqual(atHandler, [['use.started']])
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.deepEqual(
      events.map(({ type }) => type),
      ['use.started', 'use.ended'],
    )
  }),
  atEachDoor(['record.aggregate'], 'aggregates strangers, and names an event in every answer', async (stage) => {
    const before = (await stage.events()).length
    const answers = await Promise.all(Array.from({ length: 40 }, () => stage.send({ target: '/orders/123' })))
    const ids = new Set(answers.map(({ json }) => json['event']))
    const after = await stage.events()
    assert(after.length - before <= 3, `${after.length - before} events for 40 strangers`)
    for (const id of ids)
      assert(
        after.some((event) => event.id === id),
        'the event is in the trail',
      )
  }),
  atEachDoor(
    ['secret.answers', 'secret.trail'],
    'says no token, proof or parameter value in answer or trail',
    async (stage) => {
      const task = await stage.task()
      const token = await stage.refundGrant(task, '13.37')
      const proof = stage.agent.proof({ method: 'GET', url: 'https://orders.test/orders/123', token })
      const answers = [
        await stage.refund(token, '13.38'),
        await stage.readOrder(token),
        await stage.refund(token, '13.37'),
        await stage.refund(token, '13.37'),
        await stage.readOrder(`${token}x`),
        await stage.shoot(token, {
          method: 'POST',
          target: '/orders/123/refund',
          body: '{"amount":"13.37","CANARY":"CANARY"}',
        }),
      ]
      const secrets = [token, task, proof, '13.37', '13.38', 'CANARY', ...token.split('.'), ...task.split('.')]
      const refusals = answers
        .filter(({ status }) => status >= 400)
        .map(({ text, headers }) => text + JSON.stringify(headers))
      assert.equal(refusals.length, 5)
      const trail = JSON.stringify(await stage.events())
      for (const secret of secrets.filter((text) => text !== token.split('.')[0])) {
        assert.equal(
          refusals.some((text) => text.includes(secret)),
          false,
          'a secret in an answer',
        )
        assert.equal(trail.includes(secret), false, 'a secret in the trail')
      }
    },
  ),
  once(['secret.model'], 'tells a model nothing it could leak', async (stage) => {
    await stage.mount()
    const client = stage.world.client('support-bot')
    const said: string[] = []
    await client.task({ purpose: 'support' }, async (task) => {
      for (const amount of ['13.37', '1337.00']) {
        const call = await task.call('refund.create', { resource: 'order:123', parameters: { amount } })
        said.push(JSON.stringify(call.ok ? call.grant : call), call.ok ? '' : call.message)
      }
      return said
    })
    assert.equal(said.join().includes('1337'), false)
    assert.doesNotMatch(said.join(), /eyJ[\w-]{10,}/)
    assert.doesNotMatch(said.join(), /13\.37/)
  }),
  once(['redeem.exhausted-once'], 'never asks again by itself for a grant that is used up', async (stage) => {
    stage.world.handle('refund.create', () =>
      Response.json(
        { type: 'urn:hallpass:problem:grant-exhausted', status: 401, event: 'ev_x' },
        {
          status: 401,
          headers: { 'www-authenticate': 'DPoP error="invalid_token"', 'content-type': 'application/problem+json' },
        },
      ),
    )
    await stage.world
      .client('support-bot')
      .task({ purpose: 'support' }, (task) =>
        task.call('refund.create', { resource: 'order:123', parameters: { amount: '1.00' } }),
      )
    assert.equal((await types(stage)).filter((type) => type === 'grant.issued').length, 1)
  }),
  once(['trail.altered'], 'finds an altered, missing, reordered or repeated line', async (stage) => {
    await stage.mount()
    const task = await stage.task()
    await stage.refund(await stage.refundGrant(task))
    await stage.agent.end(task, 'completed')
    const lines = await stage.events()
    assert.equal((await verifyTrail(lines)).ok, true)
    for (const [n, line] of lines.entries()) {
      assert.equal((await verifyTrail(lines.with(n, { ...line, owner: 'team:evil' }))).ok, false)
      if (n < lines.length - 1) assert.equal((await verifyTrail(lines.toSpliced(n, 1))).ok, false)
      assert.equal((await verifyTrail(lines.toSpliced(n, 0, line))).ok, false)
      if (n > 0) assert.equal((await verifyTrail(lines.with(n, lines[n - 1] ?? line).with(n - 1, line))).ok, false)
    }
  }),
  once(['evidence.checkpoint'], 'finds a cut end as far as a head held elsewhere', async (stage) => {
    await stage.task()
    const lines = await stage.events()
    const last = lines.at(-1)
    assert(last)
    const cut = lines.slice(0, -1)
    assert.equal((await verifyTrail(cut)).ok, true, 'without a head elsewhere nobody can tell')
    assert.equal((await verifyTrail(cut, { expectHead: { seq: last.seq, hash: last.hash } })).ok, false)
  }),
  once(
    ['evidence.source'],
    'finds what the keeper of the trail changed in events that an API signed',
    async (stage) => {
      const { world } = stage
      const folder = await mkdtemp(join(tmpdir(), 'hallpass-source-'))
      const identity = world.identity('https://orders.test')
      const { now: clock } = world.clock
      const to = brokerLedger({ issuer: world.issuer, identity: identity.source, fetch: world.fetch, clock })
      const audit = forwardingTrail({ path: join(folder, 'spool'), to, checkpoint: { introduce: true } })
      await stage.mount({ audit })
      await stage.readOrder(await stage.readGrant(await stage.task()))
      await audit.delivered()
      await audit.close()
      await rm(folder, { recursive: true })

      const lines = await stage.events()
      const sources = {
        identities: identity.registered.kind === 'private_key_jwt' ? identity.registered.jwks : { keys: [] },
      }
      const whole = await verifyTrail(lines, { sources })
      assert(whole.ok)
      const [chain] = whole.sources
      assert.equal(chain?.broken, 0)
      assert.equal(chain?.vouched?.seq, chain?.head.seq)
      assert.equal(chain?.vouched?.trust, 'introduced')

      // Both chains are written anew: nothing in them needs a key.
      const own = createChain()
      const forged = memoryTrail()
      for (const { seq: _seq, prev: _prev, hash: _hash, origin, ...event } of lines) {
        const changed = origin === undefined ? event : { ...event, client_id: 'night-bot' }
        const sent = origin && sentLine(JSON.parse(own.next(changed)) as TrailLine, origin.chain)
        await forged.append(sent ?? changed)
      }
      const found = await verifyTrail(forged.lines(), { sources })
      assert(found.ok)
      assert.equal(found.sources[0]?.broken, 1)
    },
  ),
  once(['evidence.keyed'], 'keys the digests of parameters', async (stage) => {
    const task = await stage.task()
    const token = await stage.refundGrant(task)
    const [entry] = (
      JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
        authorization_details: [{ parameter_digest: string }]
      }
    ).authorization_details
    const issued = (await stage.events()).find(({ type }) => type === 'grant.issued')
    assert.equal(typeof issued?.parameters, 'string')
    assert.equal(issued?.parameters?.includes(entry.parameter_digest.replace('sha-256:', '')), false)
  }),
]
