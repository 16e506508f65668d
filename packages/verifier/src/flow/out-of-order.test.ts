import { verifySignature } from '@hallpass/core'
import { expect, test } from 'vitest'
import { scriptedLedger } from '../../test/scripted-ledger.ts'
import { orders } from '../../test/test-api.ts'
import { planAction } from '../call/planned-action.ts'
import { createHolderKeys } from '../proof/holder-keys.ts'
import type { GenuineToken } from '../token/genuine-token.ts'
import type { Step } from './attempt.ts'
import { Attempt } from './attempt.ts'
import { coveredCall } from './cover-call.ts'
import { boundCredential, freshProof, genuineToken, stillSigned } from './prove-caller.ts'
import { plainBody, readBody } from './read-request.ts'
import { redeemedUse } from './spend-grant.ts'

const token = { jkt: undefined, entry: {} } as unknown as GenuineToken
const credential = { token: 'a.b.c', proof: undefined }
const proofs = {
  keys: createHolderKeys(1),
  algorithms: ['ES256'],
  nonces: undefined,
  checkSignature: verifySignature,
}
const broken = (): never => {
  throw new Error('Not to be asked')
}

/** Each step on an attempt that lacks what the steps before it leave. */
test.each<{ name: string; step: Step; left: Partial<Attempt> }>([
  { name: 'genuineToken without a credential', step: genuineToken(broken), left: {} },
  { name: 'boundCredential without a token', step: boundCredential, left: { credential } },
  { name: 'boundCredential without a credential', step: boundCredential, left: { token } },
  { name: 'plainBody without header fields', step: plainBody, left: {} },
  { name: 'readBody without header fields', step: readBody(10, 10), left: {} },
  { name: 'freshProof without a token', step: freshProof(proofs), left: { credential } },
  { name: 'freshProof without a credential', step: freshProof(proofs), left: { token } },
  { name: 'coveredCall without a token', step: coveredCall, left: {} },
  { name: 'stillSigned without a token', step: stillSigned, left: {} },
  {
    name: 'redeemedUse without a token',
    step: redeemedUse({ ledger: scriptedLedger(broken), timeoutMs: 10, source: 'registered', nextId: () => 'ev_1' }),
    left: {},
  },
])('$name refuses: no step passes for another', async ({ step, left }) => {
  const call = { method: 'GET', target: '/orders/123', headers: [] }
  const attempt = new Attempt(planAction(orders, 'order.read'), call, { clock: () => 0, sharesRoute: false })
  expect(await step(Object.assign(attempt, left))).toMatchObject({ ok: false, reason: 'internal' })
})
