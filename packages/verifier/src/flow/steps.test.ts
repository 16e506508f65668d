import { memoryTrail, ok, refuse } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { badCredentials } from '../../test/credential-scenarios.ts'
import { passing } from '../../test/passing-scenarios.ts'
import type { RawRequest } from '../../test/raw-request.ts'
import { badRequests } from '../../test/request-scenarios.ts'
import { scriptedLedger } from '../../test/scripted-ledger.ts'
import { orders } from '../../test/test-api.ts'
import type { TestIssuer } from '../../test/test-issuer.ts'
import { NOW, createTestIssuer } from '../../test/test-issuer.ts'
import type { IncomingCall, Verdict } from '../index.ts'
import { createVerifier } from '../index.ts'

const ACTIONS = [
  [/\/refund/, 'refund.create'],
  [/^\/customers\//, 'order.search'],
  [/\/items\//, 'item.update'],
  [/^/, 'order.read'],
] as const

/** What a door makes of a request, without a door: nothing but the steps themselves can refuse it. */
function callOf({ method = 'GET', target = '/', headers = [], body }: RawRequest): IncomingCall {
  if (body === undefined) return { method, target, headers }
  const bytes = Buffer.from(body)
  const read = (limit: number) => (bytes.length > limit ? refuse('body-too-large') : ok(new Uint8Array(bytes)))
  return { method, target, headers, body: read }
}

function setUp() {
  const issuer = createTestIssuer()
  const ledger = scriptedLedger()
  const verifier = createVerifier({
    api: orders,
    issuer,
    ledger,
    audit: memoryTrail(),
    bodyLimitBytes: 4096,
    clock: () => NOW,
  })
  const ask = async (send: (issuer: TestIssuer) => RawRequest): Promise<Verdict> => {
    const call = callOf(send(issuer))
    const path = call.target.replace(/^https?:\/\/[^/]*/, '')
    const [, action] = ACTIONS.find(([pattern]) => pattern.test(path)) ?? ACTIONS[3]
    return verifier.verify(action, call)
  }
  return { ask, ledger }
}

describe('the steps of a verifier', () => {
  test.each(passing)('admit $name', async ({ send }) => {
    const { ask, ledger } = setUp()
    expect([await ask(send), await ask(send)].map(({ kind }) => kind)).toEqual(['admitted', 'admitted'])
    expect(ledger.requests.length).toBe(2)
  })

  test.each([...badCredentials, ...badRequests])(
    'refuse $name, also when it is sent again',
    async ({ send, status, problem, error, reason }) => {
      const { ask, ledger } = setUp()
      for (let round = 0; round < 2; round += 1) {
        const verdict = await ask(send)
        const answer = verdict.kind === 'refused' ? verdict.answer() : undefined
        const challenge = answer?.headers['www-authenticate']
        expect({
          reason: verdict.kind === 'refused' ? verdict.reason : verdict.kind,
          status: answer?.status,
          error: challenge === undefined ? undefined : (/error="([^"]*)"/.exec(challenge)?.[1] ?? ''),
          problem: (JSON.parse(answer?.body ?? '{}') as { type?: string }).type,
        }).toEqual({ reason, status, error, problem: `urn:hallpass:problem:${problem}` })
      }
      expect(ledger.requests).toEqual([])
    },
  )
})
