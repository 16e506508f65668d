import { decimal, defineApi } from '@hallpass/core'
import { defaultTriggers, definePolicy } from '@hallpass/policy'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { keyPair } from '../../test/holder.ts'
import { identityOf, ORDERS, policy, rig } from '../../test/rig.ts'
import { generateSigningKeys } from '../token/signing-keys.ts'

afterEach(() => void vi.useRealTimers())

const api = defineApi({
  audience: ORDERS,
  actions: {
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.strictObject({ amount: decimal() }),
    },
  },
})

/** A policy whose one rule sees everything a rule can see of the moment. */
const seen: unknown[] = []
const watching = definePolicy({
  api,
  version: '1',
  purposes: ['support-ticket'],
  environments: ['prod', 'dev'],
  agents: {
    'support-bot': {
      owner: 'team:support',
      identity: identityOf('support-bot'),
      approvers: ['group:leads'],
      revokeOn: defaultTriggers,
    },
  },
  facts: { balance: { load: async () => 'secret-balance', timeoutMs: 100 } },
  rules: [
    {
      id: 'watch',
      action: 'refund.create',
      effect: 'permit',
      environments: ['prod'],
      needs: ['balance'],
      when: (r) => {
        seen.push({ identity: r.identity, posture: r.posture, facts: r.facts })
        return r.posture?.['patched'] === true
      },
    },
  ],
})

async function ask(options: Parameters<typeof rig>[0], claims: object = {}) {
  const made = rig({ policy: watching, environment: 'prod', ...options })
  const pair = keyPair()
  const task = await made.post('/token', { ...made.taskForm(), ...made.asClient('support-bot', claims) }, pair)
  const answer = await made.exchange(pair, task.body.access_token)
  return { ...made, pair, task: task.body, answer }
}

describe('decide()', () => {
  test('decide() shows the policy identity, posture and facts of this moment, and the trail only their digest', async () => {
    const { answer, trail, events } = await ask({ posture: async () => ({ patched: true }) }, { region: 'eu' })
    expect(answer.status).toBe(200)
    expect(seen.at(-1)).toMatchObject({
      identity: { iss: 'support-bot', claims: { region: 'eu' } },
      posture: { patched: true },
      facts: { balance: 'secret-balance' },
    })
    expect(await events('grant.issued')).toMatchObject([
      { rule: 'watch', facts: expect.stringMatching(/^hmac-sha-256:/) as string },
    ])
    expect(trail.lines().join('')).not.toContain('secret-balance')
  })

  test('decide() asks for posture each time', async () => {
    const posture = vi
      .fn<() => { patched: boolean }>()
      .mockReturnValueOnce({ patched: true })
      .mockReturnValue({ patched: false })
    const { answer, exchange, pair, task } = await ask({ posture })
    expect(answer.status).toBe(200)
    expect(await exchange(pair, task.access_token)).toMatchObject({ body: { error: 'access_denied' } })
  })

  test('decide() denies in another environment', async () => {
    expect((await ask({ environment: 'dev', posture: () => ({ patched: true }) })).answer).toMatchObject({
      status: 400,
      body: { error: 'access_denied' },
    })
  })

  test('decide() denies when posture is late', async () => {
    const made = rig({ policy: watching, environment: 'prod', posture: () => new Promise<never>(() => {}) })
    const pair = keyPair()
    const task = (await made.open(pair)).body
    vi.useFakeTimers()
    const late = made.exchange(pair, task.access_token)
    await vi.advanceTimersByTimeAsync(1000)
    expect(await late).toMatchObject({ body: { error: 'access_denied', reason: 'policy-failed' } })
  })

  test('decide() tells the trail which rule said no, and where', async () => {
    const { exchange, open, events } = rig()
    const pair = keyPair()
    const { body } = await open(pair)
    await exchange(pair, body.access_token, { parameters: { amount: '100.01' } })
    expect(await events('grant.refused')).toMatchObject([
      { rule: 'large-refund', reason: 'approval-required', policy: { version: '7', digest: policy.digest } },
    ])
  })

  test('decide() denies a task whose agent has another identity in the policy of today', async () => {
    const keys = generateSigningKeys()
    const before = rig({ keys })
    const pair = keyPair()
    const task = (await before.open(pair)).body
    const agent = policy.agents['support-bot']
    const moved = { ...agent, identity: identityOf('root', 'moved-bot') }
    const after = rig({
      keys,
      operators: [],
      ledger: before.ledger,
      policy: {
        ...policy,
        agents: { ...policy.agents, 'support-bot': moved },
        agent: (id) => (id === 'support-bot' ? moved : policy.agent(id)),
      },
    })
    expect(await after.exchange(pair, task.access_token)).toMatchObject({
      status: 400,
      body: { error: 'access_denied', reason: 'identity-invalid' },
    })
  })

  test.each([
    ['owner', { owner: '' }],
    ['approvers', { approvers: [] }],
    ['triggers', { revokeOn: [] }],
  ])('decide() has nothing for an agent without %s', async (_name, lack) => {
    const agent = { ...policy.agents['support-bot'], ...lack } as never
    const { open, events } = rig({ policy: { ...policy, agent: () => agent } })
    const { status, body } = await open(keyPair())
    expect({ status, body }).toEqual({
      status: 401,
      body: { error: 'invalid_client', error_description: 'Client authentication failed', event: body.event },
    })
    expect(await events('task.refused')).toMatchObject([{ id: body.event, reason: 'agent-incomplete' }])
  })
})
