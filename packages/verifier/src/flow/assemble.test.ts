import type { AuditSink, MaybePromise } from '@hallpass/core'
import { memoryTrail } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { scriptedLedger } from '../../test/scripted-ledger.ts'
import { orders } from '../../test/test-api.ts'
import { AUDIENCE, NOW, createTestIssuer } from '../../test/test-issuer.ts'
import type { VerifierOptions } from '../index.ts'
import { createVerifier } from '../index.ts'
import type { RevocationContext, RevocationSource } from '../revocation/source.ts'

function setUp(more: Partial<VerifierOptions<typeof orders>> = {}) {
  const issuer = createTestIssuer()
  const ledger = scriptedLedger()
  const audit = memoryTrail()
  const verifier = createVerifier({ api: orders, issuer, ledger, audit, clock: () => NOW, ...more })
  const read = async () => {
    const token = issuer.grant({ action: 'order.read' })
    const headers = ['authorization', `DPoP ${token}`, 'dpop', issuer.proof({ token })]
    return verifier.verify('order.read', { method: 'GET', target: '/orders/123', headers })
  }
  return { issuer, ledger, audit, verifier, read }
}

const full: Pick<AuditSink, 'append'> = {
  append: (event) => {
    if (event.type === 'use.started') throw new Error('full')
  },
}

describe('a use that could not be put on record', () => {
  test('is closed as failed, and stays used', async () => {
    const { ledger, read } = setUp({ audit: { ...memoryTrail(), ...full } })
    expect(await read()).toMatchObject({ kind: 'refused', reason: 'audit-unavailable' })
    expect([ledger.settled, ledger.givenBack]).toEqual([[{ reservation: 'res_1', outcome: { status: 503 } }], []])
  })

  const broken: { name: string; settle: () => MaybePromise<void> }[] = [
    {
      name: 'throws',
      settle: () => {
        throw new Error('down')
      },
    },
    { name: 'rejects', settle: async () => Promise.reject(new Error('down')) },
  ]
  test.each(broken)('is refused also where the ledger $name', async ({ settle }) => {
    const ledger = { ...scriptedLedger(), settle }
    const { read, verifier } = setUp({ ledger, audit: { ...memoryTrail(), ...full } })
    expect(await read()).toMatchObject({ kind: 'refused', reason: 'audit-unavailable' })
    await verifier.flush()
  })
})

describe('flush()', () => {
  test('waits for what goes on behind the answers, then for the trail', async () => {
    const done: string[] = []
    let settle: () => void = () => undefined
    const settling = new Promise<void>((resolve) => (settle = resolve)).then(() => void done.push('settled'))
    const trail = memoryTrail()
    const flushed: AuditSink = { ...trail, flush: async () => (done.push('flushed'), trail.flush()) }
    const { read, verifier } = setUp({ ledger: { ...scriptedLedger(), settle: () => settling }, audit: flushed })
    const verdict = await read()
    const settled = verdict.kind === 'admitted' ? verdict.settle({ status: 200 }) : undefined
    const flushing = verifier.flush().then(() => void done.push('done'))
    await Promise.resolve()
    expect(done).toEqual([])
    settle()
    await flushing
    await settled
    expect(done).toEqual(['settled', 'flushed', 'done'])
    expect((await trail.events()).map(({ type }) => type)).toEqual(['use.started', 'use.ended'])
  })

  test('waits for a use that is closed because it could not be put on record', async () => {
    const done: string[] = []
    let settle: () => void = () => undefined
    const settling = new Promise<void>((resolve) => (settle = resolve)).then(() => void done.push('settled'))
    const { read, verifier } = setUp({
      ledger: { ...scriptedLedger(), settle: () => settling },
      audit: { ...memoryTrail(), ...full },
    })
    await read()
    const flushing = verifier.flush().then(() => void done.push('done'))
    settle()
    await flushing
    expect(done).toEqual(['settled', 'done'])
  })

  test('writes down what was refused unproven', async () => {
    const { verifier, audit } = setUp()
    await verifier.verify('order.read', { method: 'GET', target: '/orders/123', headers: [] })
    expect(await audit.events()).toEqual([])
    await verifier.flush()
    expect((await audit.events()).map(({ type, reason }) => [type, reason])).toEqual([
      ['traffic.refused', 'credential-missing'],
    ])
  })
})

describe('the trail of a verifier', () => {
  test('names audience and instance, and another instance where none is given', async () => {
    const sourceOf = async (more: Partial<VerifierOptions<typeof orders>>) => {
      const { read, audit } = setUp(more)
      await read()
      return (await audit.events())[0]?.source ?? ''
    }
    expect(await sourceOf({ instance: 'pod-1' })).toBe(`verifier:${AUDIENCE}#pod-1`)
    const unnamed = [await sourceOf({}), await sourceOf({})]
    expect(unnamed.filter((source) => !source.startsWith(`verifier:${AUDIENCE}#`))).toEqual([])
    expect(new Set(unnamed).size).toBe(2)
    expect(unnamed.filter((source) => source.length < `verifier:${AUDIENCE}#`.length + 16)).toEqual([])
  })

  test('digests parameters under the key it was given', async () => {
    const digestOf = async (digestKey?: Uint8Array) => {
      const { verifier, issuer, audit } = setUp(digestKey === undefined ? {} : { digestKey })
      const token = issuer.grant({ action: 'refund.create', parameters: { amount: '42.00' } })
      const body = '{"amount":"42.00"}'
      const proof = issuer.proof({ method: 'POST', url: `${AUDIENCE}/orders/123/refund`, token, body })
      await verifier.verify('refund.create', {
        method: 'POST',
        target: '/orders/123/refund',
        headers: ['authorization', `DPoP ${token}`, 'dpop', proof, 'content-type', 'application/json'],
        body: () => ({ ok: true, value: new TextEncoder().encode(body) }),
      })
      return (await audit.events())[0]?.parameters
    }
    const [key, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    const digests = [
      await digestOf(key),
      await digestOf(key),
      await digestOf(other),
      await digestOf(),
      await digestOf(),
    ]
    expect(digests[0]).toEqual(digests[1])
    expect(new Set(digests.map((digest) => JSON.stringify(digest))).size).toBe(4)
  })
})

test('a verifier loads the keys of a broker that it knows by its URL', async () => {
  const issuer = createTestIssuer()
  const asked: string[] = []
  const documents: Record<string, object> = {
    'https://broker.example/.well-known/oauth-authorization-server': {
      issuer: issuer.issuer,
      jwks_uri: 'https://broker.example/jwks',
    },
    'https://broker.example/jwks': issuer.jwks(),
  }
  const fetch = async (url: string) => (asked.push(url), Response.json(documents[url]))
  const { verifier } = setUp({ issuer: issuer.issuer, fetch })
  const token = issuer.grant({ action: 'order.read' })
  const headers = ['authorization', `DPoP ${token}`, 'dpop', issuer.proof({ token })]
  expect((await verifier.verify('order.read', { method: 'GET', target: '/orders/123', headers })).kind).toBe('admitted')
  expect(asked).toEqual(Object.keys(documents))
})

describe('a verifier with a store of its own', () => {
  const LIST = 'https://broker.example/status/1'

  /** A source that keeps what it is given and refuses what the test says. */
  function listening() {
    const given: RevocationContext[] = []
    const source: RevocationSource = {
      start: (context) => (given.push(context), () => ({ ok: false, reason: 'grant-revoked' })),
    }
    return { given, source }
  }

  test('asks its source of revocations before it spends, and tells it what it goes by', async () => {
    const { given, source } = listening()
    const { read, ledger, issuer } = setUp({ revocation: source, tokenAlgorithms: ['ES256', 'ES384'], skewSeconds: 3 })
    expect(await read()).toMatchObject({ kind: 'refused', reason: 'grant-revoked' })
    expect(ledger.requests).toEqual([])
    expect(given.length).toBe(1)
    expect(given[0]).toMatchObject({
      issuer: issuer.issuer,
      audience: AUDIENCE,
      algorithms: ['ES256', 'ES384'],
      skewSeconds: 3,
    })
    expect([given[0]?.clock(), given[0]?.keys.current(NOW)]).toEqual([NOW, true])
  })

  test('spends what is signed, not what is registered', async () => {
    const passing: RevocationSource = { start: () => () => undefined }
    const { read, ledger } = setUp({ revocation: passing })
    expect((await read()).kind).toBe('admitted')
    expect(ledger.requests).toMatchObject([{ source: 'signed' }])
  })

  test.each<{ name: string; inProcess: boolean }>([
    { name: 'in its process', inProcess: true },
    { name: 'over the network', inProcess: false },
  ])('reaches a broker $name', async ({ inProcess }) => {
    const asked: string[] = []
    const answer = async (where: string, url: string) => (asked.push(`${where} ${url}`), new Response('here'))
    const own = createTestIssuer()
    const broker = {
      ...own,
      self: 'in-process',
      async fetch(request: Request) {
        return answer(this.self, `${request.url} ${request.headers.get('accept')}`)
      },
    }
    const { given, source } = listening()
    setUp({
      revocation: source,
      issuer: inProcess ? broker : own,
      fetch: async (url, init) => answer('network', `${url} ${new Headers(init.headers).get('accept')}`),
    })
    const response = await given[0]?.fetch(LIST, { headers: { accept: 'text/plain' } })
    expect([await response?.text(), asked]).toEqual([
      'here',
      [`${inProcess ? 'in-process' : 'network'} ${LIST} text/plain`],
    ])
  })

  test('refuses by the status list where that is all it has, and where its source asks for it', async () => {
    const asked: string[] = []
    const fetch = async (url: string) => (asked.push(url), new Response(null, { status: 404 }))
    const listed: RevocationSource = { start: ({ statusList }) => statusList(60) }
    for (const revocation of [{ maxStalenessSeconds: 60 }, listed]) {
      const { read, ledger } = setUp({ revocation, fetch })
      expect(await read()).toMatchObject({ kind: 'refused', reason: 'status-stale' })
      expect(ledger.requests).toEqual([])
    }
    expect(asked).toEqual([LIST, LIST])
  })
})
