import { afterEach, expect, test } from 'vitest'
import { closeAll, extAuthzRig } from '../../test/ext-authz-rig.ts'
import { actionFinder } from './find-action.ts'
import { createOpenHandles } from './open-handles.ts'
import { verifyCall } from './verify-endpoint.ts'

afterEach(closeAll)

test('verifyCall() spends no grant in a burst for which it has no place left', async () => {
  const { verifier, audit, credentials } = await extAuthzRig({ envoy: { pathPrefix: '/envoy', withRequestBody: true } })
  const desk = { verifier, findAction: actionFinder(verifier.api, ''), handles: createOpenHandles(60, 2) }
  const ask = async (order: number) => {
    const target = `/orders/${order}`
    const fields = await credentials({ target, resource: `order:${order}`, claims: { jti: `gr_${order}` } })
    const headers = [fields.slice(0, 2), fields.slice(2)]
    return new TextEncoder().encode(JSON.stringify({ method: 'GET', target, headers }))
  }
  const bodies: Uint8Array[] = []
  for (const order of [1, 2, 3, 4]) bodies.push(await ask(order))
  const answers = await Promise.all(bodies.map(async (body) => verifyCall(desk, body)))
  const told = answers.map(({ body }) => (JSON.parse(body) as { allowed: boolean; reason?: string }).reason)
  expect(told.filter((reason) => reason === 'ledger-full')).toHaveLength(2)
  expect(await audit.events({ type: 'use.started' })).toHaveLength(2)
})
