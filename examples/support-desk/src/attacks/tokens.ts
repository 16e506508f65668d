import { decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT } from 'jose'
import { orders } from '../catalog.ts'
import { newJwks } from '../desk/new-key.ts'
import type { Check } from '../desk/steps.ts'
import { call, send, told } from './send.ts'
import { makeAssertion, makeProof, newKey, Workload } from './workload.ts'

const read = { audience: orders.audience, action: 'order.read', resource: 'order:1001' }
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Stolen, forged, replayed and malformed credentials. */
export const attackTokens = async (check: Check, bot: Workload): Promise<void> => {
  const origin = bot.setup.orders
  const path = '/orders/1001'
  const task = await bot.task('support-ticket')
  const token = await bot.grant(task, read)
  const get = (credential: string, key = bot.key) =>
    call(key, { method: 'GET', origin, path, token: credential }).then(told)
  const thief = await newKey()

  await check('no-credential', '401 credentials-missing', async () => told(await send({ method: 'GET', origin, path })))
  await check('stolen-token-other-key', '401 binding-failed', () => get(token, thief))
  await check('stolen-token-as-bearer', '401 binding-failed', async () =>
    told(await send({ method: 'GET', origin, path, headers: { authorization: `Bearer ${token}` } })),
  )
  await check('stolen-token-in-query', '400 request-malformed', async () =>
    told(await send({ method: 'GET', origin, path: `${path}?access_token=${token}` })),
  )
  await check('replayed-proof', '200 then 401 proof-invalid', async () => {
    const proof = await makeProof(bot.key, { method: 'GET', url: `${origin}${path}`, token })
    const first = await send({ method: 'GET', origin, path, token, proof })
    return `${told(first)} then ${told(await send({ method: 'GET', origin, path, token, proof }))}`
  })

  const header = decodeProtectedHeader(token)
  const claims = decodeJwt(token)
  const [, payload = '', signature = ''] = token.split('.')
  await check('alg-none', '401 grant-invalid', () =>
    get(`${base64url({ ...header, alg: 'none' })}.${payload}.${signature}`),
  )
  await check('alg-hs256-with-public-key', '401 grant-invalid', async () => {
    const jwks = (await (await fetch(`${bot.setup.broker}/jwks`)).json()) as { keys: unknown[] }
    const secret = new TextEncoder().encode(JSON.stringify(jwks.keys[0]))
    return get(await new SignJWT(claims).setProtectedHeader({ ...header, alg: 'HS256' }).sign(secret))
  })
  const forger = await generateKeyPair('ES256')
  await check('forged-token-known-jti', '401 grant-invalid', async () =>
    get(await new SignJWT(claims).setProtectedHeader({ ...header, alg: 'ES256' }).sign(forger.privateKey)),
  )
  await check('forged-token-own-jwk', '401 grant-invalid', async () =>
    get(
      await new SignJWT(claims).setProtectedHeader({ ...header, alg: 'ES256', jwk: thief.jwk }).sign(thief.privateKey),
    ),
  )
  await check('duplicate-members-in-token', '401 grant-invalid', () => {
    const doubled = `{"aud":"https://evil.example",${Buffer.from(payload, 'base64url').toString('utf8').slice(1)}`
    return get(`${token.split('.')[0]}.${Buffer.from(doubled).toString('base64url')}.${signature}`)
  })
  await check('token-with-padding', '401 grant-invalid', () => get(`${token}=`))
  await check('task-token-at-the-api', '401 grant-invalid', () => get(task))

  await check('unknown-agent', '401 invalid_client', async () => {
    const named = { ...newJwks().privateJwk, kid: 'nobody-knows-me' }
    const assertion = () => makeAssertion('stranger', named, bot.setup.broker)
    const stranger = new Workload(bot.setup, { clientId: 'stranger', assertion, key: thief })
    return told(await stranger.open('support-ticket'))
  })
  await check('unknown-purpose', '400 access_denied', async () => told(await bot.open('world-domination')))
  await check('policy-that-throws', '400 access_denied', async () =>
    told(await bot.ask(task, { audience: orders.audience, action: 'order.cancel', resource: 'order:1001' })),
  )
  await check('ceiling', '400 invalid_authorization_details', async () => {
    const narrow = await bot.task('support-ticket', { ceiling: { resources: ['order:1002'] } })
    return told(await bot.ask(narrow, read))
  })
}
