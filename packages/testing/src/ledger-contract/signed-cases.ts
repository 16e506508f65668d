import assert from 'node:assert/strict'
import type { GrantRecord, RedeemRequest, RefusalReason, RevocationTarget } from '@hallpass/core'
import type { Case, Scene } from './scene.ts'
import { ISSUER, JKT, SETTINGS, calls } from './scene.ts'

type Signed = GrantRecord & { readonly deadline?: number }

/** A grant out of nowhere but its signature, on a ledger that has run for longer than the skew. */
async function signed(scene: Scene, changes: Partial<Signed> = {}): Promise<Signed> {
  const iat = Math.floor(await scene.ledger.now())
  return {
    issuer: ISSUER,
    jti: scene.id('gr'),
    txn: 'tsk_signed',
    clientId: 'support-bot',
    owner: 'team:support',
    audience: 'https://orders.example',
    action: 'refund.create',
    resource: 'order:123',
    iat,
    exp: iat + 60,
    jkt: JKT,
    limits: [calls(1)],
    policy: { version: '1', digest: 'sha-256:policy' },
    status: { uri: `${ISSUER}/status/1`, idx: 1 },
    incarnation: 'of the broker, not of this store',
    ...changes,
  }
}

const facts = ({ owner, policy, limits, deadline }: Signed): Partial<RedeemRequest> => ({
  source: 'signed',
  limits,
  owner,
  policyVersion: policy.version,
  ...(deadline === undefined ? {} : { deadline }),
})

const unfit: readonly [string, (now: number) => Partial<Signed>, RefusalReason][] = [
  ['without a cap on its calls', () => ({ limits: [] }), 'details-invalid'],
  ['counted per task', () => ({ limits: [calls(1), { id: 't', per: 'task', max: 1 }] }), 'details-invalid'],
  [
    'counted per agent',
    () => ({ limits: [calls(1), { id: 'a', per: 'agent', max: 1, window_seconds: 9 }] }),
    'details-invalid',
  ],
  ['longer than the longest TTL', (now) => ({ iat: now, exp: now + 901 }), 'lifetime-exceeded'],
  ['that is over', (now) => ({ iat: now - 60, exp: now }), 'token-expired'],
  ['from the future', (now) => ({ iat: now + 6, exp: now + 60 }), 'not-yet-valid'],
  ['without times', () => ({ iat: Number.NaN, exp: Number.NaN }), 'token-claims'],
  ['past its deadline', (now) => ({ deadline: now }), 'task-expired'],
  ['with no number as deadline', () => ({ deadline: Number.NaN }), 'task-expired'],
]

const targets: readonly RevocationTarget[] = [
  { kind: 'task', txn: 'tsk_signed' },
  { kind: 'agent', clientId: 'support-bot' },
  { kind: 'owner', owner: 'team:support' },
  { kind: 'action', audience: 'https://orders.example', action: 'refund.create' },
  { kind: 'policy-version', version: '1' },
  { kind: 'everything' },
]

export const signedCases: readonly Case[] = [
  {
    title: 'counts by the signed limits, per issuer and jti',
    async run(scene) {
      await scene.advance(10)
      const grant = await signed(scene, { limits: [calls(2)] })
      await scene.first(grant, facts(grant))
      await scene.first(grant, facts(grant))
      await scene.refused(grant, 'grant-exhausted', facts(grant))
      await scene.refused(grant, 'grant-exhausted', { ...facts(grant), limits: [calls(100)] })
      await scene.first(grant, { ...facts(grant), issuer: 'https://another.example' })
    },
  },
  {
    title: 'takes no grant that may have been spent before its start',
    async run(scene) {
      const early = await signed(scene)
      await scene.refused(early, 'incarnation-mismatch', facts(early))
      await scene.advance(SETTINGS.maxSkewSeconds - 1)
      // The issuer's clock may be ahead by the skew, so this one too may be older than the store.
      const ahead = await signed(scene)
      await scene.refused(ahead, 'incarnation-mismatch', facts(ahead))
      await scene.advance(2)
      await scene.refused(early, 'incarnation-mismatch', facts(early))
      const fresh = await signed(scene)
      await scene.first(fresh, facts(fresh))
    },
  },
  {
    title: 'refuses what only a registration could make known',
    async run(scene) {
      await scene.advance(10)
      const grant = await signed(scene)
      await scene.refused(grant, 'grant-unknown')
      await scene.openTask()
      await scene.refused(grant, 'grant-unknown', facts(grant))
    },
  },
  ...unfit.map(([what, changes, reason]): Case => ({
    title: `refuses a signed grant ${what}`,
    async run(scene) {
      await scene.advance(100)
      const grant = await signed(scene, changes(Math.floor(await scene.ledger.now())))
      await scene.refused(grant, reason, facts(grant))
    },
  })),
  {
    title: 'refuses the same grant with other claims or another key',
    async run(scene) {
      await scene.advance(10)
      const grant = await signed(scene, { limits: [calls(9)] })
      await scene.first(grant, facts(grant))
      const { proof } = await scene.request(grant)
      assert.ok(proof)
      await scene.refused(grant, 'grant-unknown', { ...facts(grant), txn: 'tsk_other' })
      await scene.refused(grant, 'grant-unknown', { ...facts(grant), exp: grant.exp + 1 })
      await scene.refused(grant, 'audience-mismatch', { ...facts(grant), audience: 'https://other.example' })
      await scene.refused(grant, 'action-mismatch', { ...facts(grant), action: 'order.read' })
      await scene.refused(grant, 'binding-failed', { ...facts(grant), proof: { ...proof, jkt: 'another' } })
      await scene.first(grant, { ...facts(grant), resource: 'order:124' })
    },
  },
  {
    title: 'keeps idempotency keys across the grants of a task',
    async run(scene) {
      await scene.advance(10)
      const idempotency = { key: 'k', digest: 'd' }
      const grant = await signed(scene)
      const { reservation } = await scene.first(grant, { ...facts(grant), idempotency })
      await scene.ledger.settle(reservation, { status: 200 })
      await scene.advance(3600)
      const next = await signed(scene)
      const answer = await scene.redeem(next, { ...facts(next), idempotency })
      assert.equal(answer.ok && answer.state, 'done')
      await scene.first(next, facts(next))
    },
  },
  {
    title: 'refuses a revoked grant, seen before or not',
    async run(scene) {
      await scene.advance(10)
      const grant = await signed(scene, { limits: [calls(9)] })
      const { reservation } = await scene.first(grant, facts(grant))
      await scene.ledger.revoke({ kind: 'grant', jti: grant.jti }, 'leaked')
      await scene.refused(grant, 'grant-revoked', facts(grant))
      assert.equal(await scene.ledger.giveBack(reservation, 'too late'), false)
      const unseen = await signed(scene)
      await scene.ledger.revoke({ kind: 'grant', jti: unseen.jti }, 'leaked')
      await scene.refused(unseen, 'grant-revoked', facts(unseen))
      const other = await signed(scene)
      await scene.first(other, facts(other))
    },
  },
  ...targets.map((target): Case => ({
    title: `refuses what is revoked by ${target.kind}, and after resuming what was issued by then`,
    async run(scene) {
      await scene.advance(10)
      const grant = await signed(scene, { limits: [calls(9)] })
      await scene.first(grant, facts(grant))
      await scene.ledger.revoke(target, 'incident', { dryRun: true })
      await scene.first(grant, facts(grant))
      await scene.ledger.revoke(target, 'incident')
      await scene.advance(20)
      const during = await signed(scene)
      for (const each of [grant, during]) await scene.refused(each, 'grant-revoked', facts(each))
      const lifted = await scene.ledger.resume(target, 'over')
      assert.equal(lifted, target.kind !== 'task')
      // Issued during the stop, by a clock that is ahead.
      const ahead = await signed(scene, { iat: Math.floor(await scene.ledger.now()) + SETTINGS.maxSkewSeconds - 1 })
      for (const each of [grant, during, ahead]) await scene.refused(each, 'grant-revoked', facts(each))
      await scene.advance(SETTINGS.maxSkewSeconds + 1)
      const after = await signed(scene, lifted ? {} : { txn: 'tsk_another' })
      await scene.first(after, facts(after))
      await scene.refused(during, 'grant-revoked', facts(during))
    },
  })),
  {
    title: 'refuses while an owner or a version is revoked and the request does not say its own',
    async run(scene) {
      for (const [target, member] of [
        [{ kind: 'owner', owner: 'team:other' }, 'owner'],
        [{ kind: 'policy-version', version: '9' }, 'policyVersion'],
      ] as const) {
        await scene.advance(10)
        const [silent, telling] = [await signed(scene), await signed(scene)]
        await scene.ledger.revoke(target, 'incident')
        const { [member]: _unsaid, ...rest } = facts(silent)
        await scene.refused(silent, 'grant-revoked', rest)
        await scene.first(telling, facts(telling))
      }
    },
  },
]
