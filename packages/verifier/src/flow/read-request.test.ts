import type { MaybePromise, RefusalReason, Result } from '@hallpass/core'
import { ok, refuse } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { orders } from '../../test/test-api.ts'
import { planAction } from '../call/planned-action.ts'
import type { IncomingCall } from '../request/incoming-call.ts'
import { readFields } from '../request/request-fields.ts'
import type { BareCall } from '../token/bare-call.ts'
import type { GenuineToken } from '../token/genuine-token.ts'
import { Attempt } from './attempt.ts'
import { oneCredential, ownAddress, plainBody, readBody } from './read-request.ts'

type Name = 'order.read' | 'refund.create' | 'invoice.render'

function attemptOf(more: Partial<IncomingCall> = {}, name: Name = 'order.read', sharesRoute = false): Attempt {
  const call = { method: 'GET', target: '/orders/123', headers: [], ...more }
  const attempt = new Attempt(planAction(orders, name), call, { clock: () => 0, sharesRoute })
  attempt.fields = readFields(call.headers)
  return attempt
}

const refused = (reason: RefusalReason) => ({ ok: false, reason })

describe('oneCredential()', () => {
  const step = oneCredential({ issuer: 'https://broker.example', acceptUnbound: false })
  const good = ['authorization', 'DPoP tok', 'dpop', 'prf']

  test.each<{ name: string; target: string; query: string }>([
    { name: 'no query', target: '/orders/123', query: '' },
    { name: 'an empty query', target: '/orders/123?', query: '' },
    { name: 'a query', target: '/orders/123?a=b?c', query: 'a=b?c' },
    { name: 'nothing but a query', target: '?a=b', query: 'a=b' },
  ])('keeps credential, fields and raw query of a target with $name', async ({ target, query }) => {
    const attempt = attemptOf({ target, headers: good })
    attempt.fields = undefined
    expect(await step(attempt)).toBeUndefined()
    expect([attempt.credential, attempt.query]).toEqual([{ token: 'tok', proof: 'prf' }, query])
    expect(attempt.fields).toMatchObject({ authorization: 'DPoP tok', proof: 'prf' })
  })

  test.each<{ name: string; call: Partial<IncomingCall>; reason: RefusalReason }>([
    { name: 'no credential', call: {}, reason: 'credential-missing' },
    {
      name: 'a token in the query',
      call: { target: '/?access_token=x', headers: good },
      reason: 'credential-malformed',
    },
    { name: 'a token in nothing but a query', call: { target: '?access_token=x' }, reason: 'credential-malformed' },
    {
      name: 'a field that stands twice',
      call: { headers: [...good, 'content-type', 'a', 'content-type', 'a'] },
      reason: 'request-malformed',
    },
    { name: 'a WebSocket', call: { headers: [...good, 'upgrade', 'websocket'] }, reason: 'request-malformed' },
    {
      name: 'a WebSocket among others',
      call: { headers: [...good, 'upgrade', 'h2c, WebSocket/13'] },
      reason: 'request-malformed',
    },
  ])('refuses $name', async ({ call, reason }) => {
    const attempt = attemptOf(call)
    expect(await step(attempt)).toMatchObject(refused(reason))
    expect(attempt.credential).toBeUndefined()
  })

  test('lets another upgrade be', async () => {
    expect(await step(attemptOf({ headers: [...good, 'upgrade', 'h2c'] }))).toBeUndefined()
  })

  test('leaves a Bearer token to the other authentication only where there is one', async () => {
    const headers = ['authorization', 'Bearer opaque']
    expect(await step(attemptOf({ headers }, 'order.read', true))).toMatchObject(refused('credential-missing'))
    expect(await step(attemptOf({ headers }))).toMatchObject(refused('binding-failed'))
  })
})

describe('ownAddress()', () => {
  test.each<{ publicUrl: string; target: string; url: string; path: string; query: string }>([
    {
      publicUrl: 'https://a.example',
      target: '/orders/1?x=y',
      url: 'https://a.example/orders/1',
      path: '/orders/1',
      query: 'x=y',
    },
    {
      publicUrl: 'https://a.example/',
      target: '/orders/1',
      url: 'https://a.example/orders/1',
      path: '/orders/1',
      query: '',
    },
    {
      publicUrl: 'https://a.example',
      target: 'http://evil.example/orders/1',
      url: 'https://a.example/orders/1',
      path: '/orders/1',
      query: '',
    },
    {
      publicUrl: 'https://a.example/v1',
      target: '/v1/orders/1',
      url: 'https://a.example/v1/orders/1',
      path: '/orders/1',
      query: '',
    },
    {
      publicUrl: 'https://a.example/v1/',
      target: '/v1/orders/1?x',
      url: 'https://a.example/v1/orders/1',
      path: '/orders/1',
      query: 'x',
    },
    {
      publicUrl: 'https://a.example/v1',
      target: '/orders/1',
      url: 'https://a.example/v1/orders/1',
      path: '/orders/1',
      query: '',
    },
    { publicUrl: 'https://a.example/v1', target: '/v1', url: 'https://a.example/v1', path: '', query: '' },
    {
      publicUrl: 'https://a.example/v1',
      target: '/v10/orders/1',
      url: 'https://a.example/v1/v10/orders/1',
      path: '/v10/orders/1',
      query: '',
    },
    {
      publicUrl: 'https://a.example/v1',
      target: '/v1/v1/orders/1',
      url: 'https://a.example/v1/v1/orders/1',
      path: '/v1/orders/1',
      query: '',
    },
    {
      publicUrl: 'https://a.example/v1/shop',
      target: '/v1/orders/1',
      url: 'https://a.example/v1/shop/v1/orders/1',
      path: '/v1/orders/1',
      query: '',
    },
  ])('under $publicUrl the target $target is proven as $url', async ({ publicUrl, target, url, path, query }) => {
    const attempt = attemptOf({ target })
    attempt.query = 'old'
    expect(await ownAddress(publicUrl)(attempt)).toBeUndefined()
    expect([attempt.url, attempt.path, attempt.query]).toEqual([url, path, query])
  })

  test('refuses a target that cannot be read', async () => {
    expect(await ownAddress('https://a.example')(attemptOf({ target: 'ftp://x' }))).toMatchObject({ ok: false })
  })

  describe('with a call that was held against the grant before', () => {
    const step = ownAddress('https://a.example')
    const planned = planAction(orders, 'order.read')
    const bareCall = (target: string): BareCall => ({
      planned,
      method: 'GET',
      target,
      route: undefined,
      mount: undefined,
      url: `https://a.example${target}`,
      refusal: undefined,
      resource: 'order:1',
      parts: {},
      facts: undefined,
    })
    const bare = bareCall('/orders/1')
    const barred = bareCall('/orders/2')
    const known = async (target: string, more: Partial<Attempt> = {}) => {
      const attempt = Object.assign(attemptOf({ target }), { planned, token: { bare, barred } as GenuineToken }, more)
      expect(await step(attempt)).toBeUndefined()
      return { known: attempt.known, url: attempt.url, path: attempt.path }
    }

    test('goes by what was found then', async () => {
      expect(await known('/orders/1')).toEqual({ known: bare, url: bare.url, path: '' })
      expect(await known('/orders/2')).toEqual({ known: barred, url: barred.url, path: '' })
    })

    test.each<{ name: string; target: string; more?: Partial<Attempt> }>([
      { name: 'another target', target: '/orders/3' },
      { name: 'the same target with a body', target: '/orders/1', more: { json: {} } },
      { name: 'the same target with a body that says null', target: '/orders/1', more: { json: null } },
      { name: 'a grant that was held against nothing', target: '/orders/1', more: { token: {} as GenuineToken } },
      { name: 'no grant', target: '/orders/1', more: { token: undefined } },
    ])('reads $name anew', async ({ target, more }) => {
      expect(await known(target, more)).toEqual({ known: undefined, url: `https://a.example${target}`, path: target })
    })
  })
})

const body = () => refuse('internal')

describe('plainBody', () => {
  const text = ['content-type', 'text/plain']

  test.each<{ name: string; attempt: Attempt }>([
    { name: 'no body', attempt: attemptOf({ method: 'POST', headers: text }) },
    { name: 'a GET, whose body is refused when it is read', attempt: attemptOf({ body, headers: text }) },
    { name: 'a HEAD', attempt: attemptOf({ method: 'HEAD', body, headers: text }) },
    { name: 'JSON', attempt: attemptOf({ method: 'POST', body, headers: ['content-type', 'application/json'] }) },
    { name: 'a local call', attempt: attemptOf({ method: 'POST', body, headers: text }, 'invoice.render') },
  ])('lets $name on', async ({ attempt }) => {
    expect(await plainBody(attempt)).toBeUndefined()
  })

  test.each(['POST', 'PATCH', 'DELETE', 'get', 'OPTIONS'])('refuses text in a %s', async (method) => {
    expect(await plainBody(attemptOf({ method, body, headers: text }))).toMatchObject(refused('body-unsupported'))
  })
})

describe('readBody()', () => {
  const bytes = (text: string) => new TextEncoder().encode(text)
  type Read = Result<Uint8Array | undefined, RefusalReason>

  const read = async (method: string, given: MaybePromise<Read>) => {
    const asked: [number, number][] = []
    const reader = (...limits: [number, number]) => (asked.push(limits), given)
    const attempt = attemptOf({ method, body: reader }, 'refund.create')
    const refusal = await readBody(100, 7)(attempt)
    return { refusal, asked, body: attempt.body, json: attempt.json }
  }

  test('reads within its limits, once, what is checked and what the handler gets', async () => {
    for (const given of [ok(bytes('{"a":1}')), Promise.resolve(ok(bytes('{"a":1}')))]) {
      expect(await read('POST', given)).toEqual({
        refusal: undefined,
        asked: [[100, 7]],
        body: bytes('{"a":1}'),
        json: { a: 1 },
      })
    }
  })

  test.each<{ name: string; given: Read }>([
    { name: 'no bytes', given: ok(undefined) },
    { name: 'none at all', given: ok(new Uint8Array()) },
  ])('takes $name for no body, whatever the method', async ({ given }) => {
    for (const method of ['POST', 'GET', 'HEAD']) {
      expect(await read(method, given)).toMatchObject({ refusal: undefined, body: undefined, json: undefined })
    }
  })

  test.each(['GET', 'HEAD'])('refuses a %s with a body, and reads none of it', async (method) => {
    for (const given of [ok(bytes('{}')), refuse('body-too-large')]) {
      expect(await read(method, given)).toMatchObject({
        refusal: refused('request-malformed'),
        asked: [[0, 7]],
        body: undefined,
        json: undefined,
      })
    }
  })

  test('says why a body could not be read', async () => {
    expect((await read('POST', refuse('body-too-large'))).refusal).toMatchObject(refused('body-too-large'))
    const broken = await read('POST', ok(bytes('{"a":1')))
    expect(broken).toMatchObject({ refusal: refused('request-malformed'), body: bytes('{"a":1'), json: undefined })
  })

  test('asks for nothing where there is no body', async () => {
    const attempt = attemptOf({ method: 'POST' })
    expect(await readBody(100, 7)(attempt)).toBeUndefined()
    expect([attempt.body, attempt.json]).toEqual([undefined, undefined])
  })
})
