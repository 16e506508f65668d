import { memoryTrail } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { scriptedLedger } from '../test/scripted-ledger.ts'
import { orders } from '../test/test-api.ts'
import type { GrantWish } from '../test/test-issuer.ts'
import { NOW, createTestIssuer } from '../test/test-issuer.ts'
import { createVerifier, guard } from './index.ts'

function setUp(run: (format: string) => unknown = (format) => `rendered as ${format}`) {
  const issuer = createTestIssuer()
  const ledger = scriptedLedger()
  const audit = memoryTrail()
  const verifier = createVerifier({ api: orders, issuer, ledger, audit, clock: () => NOW })
  const guarded = guard(verifier, 'invoice.render', (grant) => run(grant.parameters.format))
  const call = (wish: GrantWish = {}, sent: { body?: string; url?: string } = {}) => {
    const { body = '{"resource":"invoice:7","parameters":{"format":"pdf"}}' } = sent
    const token = issuer.grant({
      action: 'invoice.render',
      resource: 'invoice:7',
      parameters: { format: 'pdf' },
      ...wish,
    })
    const proof = issuer.proof({ method: 'POST', url: sent.url ?? guarded.url, token, body })
    return { authorization: `DPoP ${token}`, proof, body }
  }
  return { issuer, ledger, audit, guarded, call }
}

describe('guard()', () => {
  test('runs the function for a covered call, and records it', async () => {
    const { guarded, call, audit, ledger } = setUp()
    expect(await guarded.call(call())).toMatchObject({ ok: true, value: 'rendered as pdf' })
    expect((await audit.events()).map(({ type }) => type)).toEqual(['use.started', 'use.ended'])
    expect(ledger.settled.map(({ outcome }) => outcome)).toEqual([{ status: 200 }])
  })

  test('names where its proofs have to be for', () => {
    const { guarded } = setUp()
    expect([guarded.method, guarded.url]).toEqual([
      'POST',
      'https://orders.example/.well-known/hallpass/local/invoice.render',
    ])
  })

  test.each<{ name: string; wish?: GrantWish; sent?: { body?: string; url?: string }; reason: string }>([
    { name: 'another action', wish: { action: 'order.read' }, reason: 'action-mismatch' },
    { name: 'another resource', wish: { resource: 'invoice:8' }, reason: 'resource-mismatch' },
    {
      name: 'other parameters',
      sent: { body: '{"resource":"invoice:7","parameters":{"format":"html"}}' },
      reason: 'parameters-mismatch',
    },
    { name: 'a proof for another function', sent: { url: 'https://orders.example/other' }, reason: 'proof-url' },
    {
      name: 'a member more',
      sent: { body: '{"resource":"invoice:7","parameters":{"format":"pdf"},"x":1}' },
      reason: 'request-malformed',
    },
    {
      name: 'a resource of another kind',
      sent: { body: '{"resource":"order:7","parameters":{"format":"pdf"}}' },
      reason: 'resource-mismatch',
    },
    {
      name: 'a class as resource',
      sent: { body: '{"resource":"invoice:*","parameters":{"format":"pdf"}}' },
      wish: { resource: 'invoice:*' },
      reason: 'resource-mismatch',
    },
    { name: 'no JSON', sent: { body: 'x' }, reason: 'request-malformed' },
  ])('refuses $name', async ({ wish, sent, reason }) => {
    const { guarded, call, ledger } = setUp()
    expect(await guarded.call(call(wish, sent))).toMatchObject({ ok: false, reason })
    expect(ledger.requests).toEqual([])
  })

  test('hands on what the function throws, and records 500', async () => {
    const { guarded, call, ledger } = setUp(() => {
      throw new Error('boom')
    })
    await expect(guarded.call(call())).rejects.toThrow('boom')
    expect(ledger.settled.map(({ outcome }) => outcome)).toEqual([{ status: 500 }])
  })

  test('refuses to guard an action that has a route', () => {
    const verifier = createVerifier({
      api: orders,
      issuer: createTestIssuer(),
      ledger: scriptedLedger(),
      audit: memoryTrail(),
    })
    expect(() => guard(verifier, 'order.read', () => 1)).toThrow(
      expect.objectContaining({ code: 'configuration-invalid' }),
    )
  })
})
