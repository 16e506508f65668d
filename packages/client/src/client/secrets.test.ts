import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { desk, task } from '../../test/desk.ts'
import { createClient } from './create-client.ts'

/** Every way an object leaves the process by accident. */
const waysOut: [string, (value: unknown) => string][] = [
  ['JSON.stringify', (value) => JSON.stringify(value) ?? ''],
  ['util.inspect', (value) => inspect(value, { depth: 20, showHidden: true, getters: true, maxStringLength: null })],
  ['String', (value) => `${String(value)}${Object.prototype.toString.call(value)}`],
  ['its own properties', (value) => JSON.stringify(deepOwn(value))],
  ['structuredClone', (value) => cloned(value)],
]

const SECRETS = /eyJ|AMOUNT-CANARY|ASSERTION-CANARY/

describe('what a client holds', () => {
  const printed: unknown[][] = []
  beforeEach(() => {
    printed.length = 0
    for (const method of ['log', 'error', 'warn', 'info', 'debug'] as const) {
      vi.spyOn(console, method).mockImplementation((...parts: unknown[]) => void printed.push(parts))
    }
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })

  test.each(waysOut)('%s shows no token, key or value of it', async (_name, out) => {
    const { client, world, sent } = desk()
    const opened = await client.openTask(task)
    if (!opened.ok) throw new Error(opened.message)
    const parameters = { amount: '42.00', note: 'AMOUNT-CANARY' }
    const asked = await opened.grant('refund.create', { resource: 'order:123', parameters })
    const called = await opened.call('refund.create', { resource: 'order:124', parameters })
    const denied = await opened.call('refund.create', {
      resource: 'order:125',
      parameters: { ...parameters, amount: '60.00' },
    })
    const identity = world.identity('support-bot').source
    for (const value of [client, opened, asked, called, denied, opened.over, identity]) {
      expect(out(value)).not.toMatch(SECRETS)
    }
    expect(sent.some(({ headers }) => SECRETS.test(headers.get('authorization') ?? ''))).toBe(true)
    expect(printed).toEqual([])
  })

  test('a grant shows what it is for', async () => {
    const { client } = desk()
    const opened = await client.openTask(task)
    if (!opened.ok) throw new Error(opened.message)
    const asked = await opened.grant('refund.create', { resource: 'order:123', parameters: { amount: '42.00' } })
    const grant = 'grant' in asked ? asked.grant : undefined
    expect(JSON.parse(JSON.stringify(grant))).toEqual({
      task: opened.txn,
      audience: 'https://orders.test',
      action: 'refund.create',
      resource: 'order:123',
      expiresAt: 1_795_300_030,
      callsLeft: 1,
    })
    expect(inspect(grant)).toContain("resource: 'order:123'")
    expect(grant?.toString()).toBe('Grant(refund.create on order:123)')
  })

  test('an identity source that quotes its token in an error is not quoted', async () => {
    const { newClient } = desk({
      identity: {
        type: 'jwt-bearer',
        clientId: 'support-bot',
        assertion: () => Promise.reject(new Error('bad token ASSERTION-CANARY')),
      },
    })
    const outcome = await newClient().task(task, async () => true)
    expect(outcome).toMatchObject({ ok: false, reason: 'identity-unavailable', retryable: true })
    expect(inspect(outcome, { depth: 20, showHidden: true })).not.toMatch(SECRETS)
  })

  test('a broken wire that quotes the request in its error is not quoted', async () => {
    const { client, setTap } = desk()
    setTap(async (request, next) => {
      if (!request.url.includes('/refund')) return next(request)
      throw new Error(`could not send ${request.headers.get('authorization')}`)
    })
    const outcome = await client.task(task, (task) =>
      task.call('refund.create', { resource: 'order:123', parameters: { amount: '42.00' } }),
    )
    expect(outcome).toMatchObject({ ok: false })
    expect(inspect(outcome, { depth: 20, showHidden: true })).not.toMatch(SECRETS)
  })

  test.each(['reason', 'error', 'error_description', 'event'])(
    "a broker's free text in %s reaches no message",
    async (member) => {
      const { client, setTap } = desk()
      const body = {
        error: 'access_denied',
        reason: 'policy-denied',
        [member]: 'AMOUNT-CANARY rule 7 of the secret policy',
      }
      setTap((request, next) =>
        request.url.endsWith('/token') ? Promise.resolve(Response.json(body, { status: 400 })) : next(request),
      )
      const outcome = await client.task(task, async () => true)
      expect(outcome).toMatchObject({ ok: false })
      expect(JSON.stringify(outcome)).not.toMatch(SECRETS)
    },
  )

  test('configuration errors quote no key', () => {
    const identity = { clientId: 'x', key: 'ASSERTION-CANARY' } as never
    const run = () => createClient({ issuer: 'https://broker.test', identity, api: [] })
    expect(run).toThrow(/identity/)
    expect(run).not.toThrow(SECRETS)
  })
})

function cloned(value: unknown): string {
  try {
    return JSON.stringify(structuredClone(value)) ?? ''
  } catch (error) {
    return String(error)
  }
}

function deepOwn(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > 6) return typeof value === 'function' ? 'function' : value
  const members = Object.entries(Object.getOwnPropertyDescriptors(value)).map(([name, { value: own }]) => [
    name,
    deepOwn(own, depth + 1),
  ])
  return Object.fromEntries(members)
}
