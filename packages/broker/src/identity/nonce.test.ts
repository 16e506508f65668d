import { describe, expect, test } from 'vitest'
import { keyPair, prove } from '../../test/holder.ts'
import { ISSUER, rig } from '../../test/rig.ts'
import { createNonces, NONCE_SECONDS } from './nonce.ts'

describe('createNonces()', () => {
  test('createNonces() accepts a nonce for as long again as it is given out', () => {
    const time = { now: NONCE_SECONDS * 1000 }
    const nonces = createNonces(() => time.now)
    const nonce = nonces.current()
    time.now += 2 * NONCE_SECONDS - 1
    expect(nonces.accepts(nonce)).toBe(true)
    time.now += 1
    expect(nonces.accepts(nonce)).toBe(false)
  })

  test('createNonces() accepts what a replica with the same secret made, and nobody else', () => {
    const secret = new Uint8Array(32).fill(7)
    const clock = () => 1000
    expect(createNonces(clock, secret).accepts(createNonces(clock, secret).current())).toBe(true)
    expect(createNonces(clock).accepts(createNonces(clock).current())).toBe(false)
  })

  test.each([undefined, '', 'x', 'A'.repeat(43), 'é'.repeat(43)])('createNonces() refuses %j', (nonce) => {
    expect(createNonces(() => 1000).accepts(nonce)).toBe(false)
  })
})

describe('createBroker({ nonces })', () => {
  test('createBroker() asks for its nonce, takes a proof with it, and gives the next one along', async () => {
    const { taskForm, post, time } = rig({ nonces: true })
    const pair = keyPair()
    const form = taskForm()
    const refused = await post('/token', form, pair)
    expect(refused).toMatchObject({ status: 400, body: { error: 'use_dpop_nonce' } })
    const nonce = refused.headers.get('dpop-nonce') ?? ''
    const taken = await post('/token', form, { dpop: prove(pair, { url: `${ISSUER}/token`, iat: time.now, nonce }) })
    expect(taken.status).toBe(200)
    expect(taken.headers.get('dpop-nonce')).toBe(nonce)
  })

  test('createBroker() without nonces names none', async () => {
    const { open } = rig()
    expect((await open(keyPair())).headers.has('dpop-nonce')).toBe(false)
  })
})
