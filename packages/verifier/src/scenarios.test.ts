import { memoryTrail } from '@hallpass/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { sendRaw } from '../test/raw-request.ts'
import { badCredentials } from '../test/credential-scenarios.ts'
import { passing } from '../test/passing-scenarios.ts'
import { badRequests } from '../test/request-scenarios.ts'
import { scriptedLedger } from '../test/scripted-ledger.ts'
import type { Run } from '../test/surfaces.ts'
import { surfaces } from '../test/surfaces.ts'
import { orders } from '../test/test-api.ts'
import { NOW, createTestIssuer } from '../test/test-issuer.ts'
import { createVerifier } from './index.ts'

// Every check of the thread pool leaves this thread, also the first of its turn.
vi.mock(import('@hallpass/core'), async (original) => {
  const core = await original()
  return { ...core, pooledSignatureCheck: () => core.pooledSignatureCheck({ atOncePerTurn: 0 }) }
})

const signed = ['at-once', 'thread-pool'] as const

describe.each(signed.flatMap((signatureChecks) => surfaces.map((surface) => ({ ...surface, signatureChecks }))))(
  '$name, signatures checked $signatureChecks',
  (surface) => {
    const issuer = createTestIssuer()
    const ledger = scriptedLedger()
    const audit = memoryTrail()
    const verifier = createVerifier({
      api: orders,
      issuer,
      ledger,
      audit,
      bodyLimitBytes: 4096,
      clock: () => NOW,
      signatureChecks: surface.signatureChecks,
    })
    const runs: Run[] = []
    let app: Awaited<ReturnType<typeof surface.start>>

    beforeAll(async () => {
      app = await surface.start({ verifier, handle: (run) => (runs.push(run), { done: true }) })
    })
    beforeEach(() => void (runs.length = 0))
    afterAll(() => app.close())

    test.each(passing)('passes $name', async ({ send }) => {
      const reply = await sendRaw(app.port, send(issuer))
      expect({ status: reply.status, problem: reply.json['type'], runs: runs.length }).toEqual({
        status: 200,
        problem: undefined,
        runs: 1,
      })
    })

    test.each([...badCredentials, ...badRequests])(
      'refuses $name',
      async ({ send, status, problem, error, reason }) => {
        const request = send(issuer)
        const spent = ledger.requests.length
        const reply = await sendRaw(app.port, request)
        await verifier.flush()
        const explained = (await audit.events()).findLast((event) => event.reason !== undefined)
        const challenge = reply.headers['www-authenticate']
        const said = typeof challenge === 'string' ? (/error="([^"]*)"/.exec(challenge)?.[1] ?? '') : undefined
        expect({
          status: reply.status,
          error: said,
          reason: explained?.reason,
          runs: runs.length,
          spent: ledger.requests.length - spent,
        }).toEqual({
          status,
          error,
          reason,
          runs: 0,
          spent: 0,
        })
        // A HEAD answer has no body to look into.
        expect(reply.text === '' ? problem : reply.json['type']).toBe(
          reply.text === '' ? problem : `urn:hallpass:problem:${problem}`,
        )
        expect(reply.text === '' ? explained?.id : reply.json['event']).toBe(explained?.id)
      },
    )
  },
)
