import { readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { signer } from '../../test/signer.ts'
import { isPromise } from '../result.ts'
import { jwkThumbprint } from '../token/thumbprint.ts'
import type { ProofKey } from './proof-key.ts'
import { verifyProof } from './verify-proof.ts'

vi.mock('#crypto', () => import('../crypto.web.ts'))

interface Figure {
  readonly name: string
  readonly proof: string
  readonly method: string
  readonly htu: string
  readonly iat: number
  readonly access_token?: string
}
const figures = JSON.parse(
  readFileSync(new URL('../../vectors/rfc9449/dpop-examples.json', import.meta.url), 'utf8'),
) as { jkt: string; proofs: Figure[] }

const now = 1800000000
const { jwk, token } = signer()
const claims = { jti: 'a-jti-of-16-chars', htm: 'GET', htu: 'https://a.example/x', iat: now }
const proof = token({ alg: 'ES256', typ: 'dpop+jwt', jwk }, claims)
const expectation = { method: 'GET', url: 'https://a.example/x', now }

test.each(figures.proofs)('verifyProof() on WebCrypto holds for RFC 9449 $name', async (figure) => {
  const bound = figure.access_token === undefined ? {} : { accessToken: figure.access_token, jkt: figures.jkt }
  const answer = verifyProof(figure.proof, { method: figure.method, url: figure.htu, now: figure.iat, ...bound })
  expect(isPromise(answer)).toBe(true)
  expect(await answer).toMatchObject({ ok: true, value: { jkt: figures.jkt } })
})

test('verifyProof() on WebCrypto refuses cheap claims at once, without a promise', () => {
  expect(verifyProof(proof, { ...expectation, method: 'POST' })).toMatchObject({ ok: false, reason: 'proof-method' })
})

test('verifyProof() on WebCrypto refuses another signature and a key off its curve', async () => {
  const forged = signer().token({ alg: 'ES256', typ: 'dpop+jwt', jwk }, claims)
  const offCurve = token({ alg: 'ES256', typ: 'dpop+jwt', jwk: { ...jwk, y: jwk['x'] } }, claims)
  expect(await verifyProof(forged, expectation)).toMatchObject({ ok: false, reason: 'proof-signature' })
  expect(await verifyProof(offCurve, expectation)).toMatchObject({ ok: false, reason: 'proof-key' })
})

test('verifyProof() on WebCrypto keeps a key once its proof held', async () => {
  const kept = new Map<string, ProofKey>()
  const keys = {
    get: (segment: string) => kept.get(segment),
    set: (segment: string, key: ProofKey) => void kept.set(segment, key),
  }
  await verifyProof(`${proof.slice(0, -86)}${'A'.repeat(86)}`, { ...expectation, keys })
  expect(kept.size).toBe(0)
  await verifyProof(proof, { ...expectation, keys })
  expect([...kept.values()].map(({ jkt }) => jkt)).toEqual([jwkThumbprint(jwk)])
  expect(await verifyProof(proof, { ...expectation, keys })).toMatchObject({ ok: true })
})
