import { memoryTrail } from '@hallpass/core'
import { expect, test } from 'vitest'
import { scriptedLedger } from '../test/scripted-ledger.ts'
import { orders } from '../test/test-api.ts'
import { NOW, createTestIssuer } from '../test/test-issuer.ts'
import { createVerifier } from './create-verifier.ts'
import { protect } from './protect.ts'

const issuer = createTestIssuer()

function setUp() {
  const ledger = scriptedLedger()
  const audit = memoryTrail()
  const verifier = createVerifier({ api: orders, issuer, ledger, audit, clock: () => NOW })
  return { ledger, audit, verifier }
}

test('protect() runs the handler for a covered request and records use and outcome', async () => {
  const { verifier, ledger, audit } = setUp()
  const handler = protect(verifier, 'refund.create', (_request, { grant }) =>
    Response.json({ refunded: grant.parameters.amount.toString(), order: grant.resourceParts['id'] }),
  )
  const body = '{"amount":"42.00"}'
  const token = issuer.grant({ action: 'refund.create', parameters: { amount: '42.00' } })
  const proof = issuer.proof({ method: 'POST', url: 'https://orders.example/orders/123/refund', token, body })
  const response = await handler(
    new Request('https://orders.example/orders/123/refund', {
      method: 'POST',
      headers: { authorization: `DPoP ${token}`, dpop: proof, 'content-type': 'application/json' },
      body,
    }),
  )
  expect({ status: response.status, body: await response.json() }).toEqual({
    status: 200,
    body: { refunded: '42.00', order: '123' },
  })
  expect(ledger.settled).toEqual([{ reservation: 'res_1', outcome: { status: 200 } }])
  const types = (await audit.events()).map(({ type, status }) => ({ type, status }))
  expect(types).toEqual([{ type: 'use.started' }, { type: 'use.ended', status: 200 }])
})
