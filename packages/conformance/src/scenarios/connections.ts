import assert from 'node:assert/strict'
import { once as happens } from 'node:events'
import { atEachDoor, type Scenario } from '../scenario.ts'
import type { RawRequest } from '../stage/send.ts'
import { json, told, type Stage } from '../stage/stage.ts'
import { chunked, converse, openSocket, wireText } from '../stage/wire.ts'

const BODY = '{"amount":"20.00"}'

/** An honest request with its credential, to be written by hand. */
function honest(stage: Stage, token: string, { method = 'GET', target, body }: RawRequest): RawRequest {
  const url = `https://orders.test${target}`
  const proof = stage.agent.proof({ method, url, token, ...(body === undefined ? {} : { body }) })
  return {
    method,
    target,
    body,
    headers: ['authorization', `DPoP ${token}`, 'dpop', proof, ...(body === undefined ? [] : json)],
  }
}

const refund = (stage: Stage, token: string): RawRequest =>
  honest(stage, token, { method: 'POST', target: '/orders/123/refund', body: BODY })
const read = (stage: Stage, token: string): RawRequest => honest(stage, token, { target: '/orders/123' })

/** Bodies, connections and side doors, over real sockets. */
export const connections: readonly Scenario[] = [
  atEachDoor(['body.charset'], 'reads bodies in UTF-8 and nothing else', async (stage) => {
    const token = await stage.refundGrant(await stage.task())
    const { headers: _headers, ...bare } = refund(stage, token)
    for (const type of [
      'application/json; charset=utf-16',
      'application/json; v=1; charset=utf-16',
      'application/json; charset=utf-8; charset=utf-16',
      "application/json; charset*=utf-8''utf-16",
      'application/json; charset=latin1',
    ]) {
      const proof = stage.agent.proof({
        method: 'POST',
        url: 'https://orders.test/orders/123/refund',
        token,
        body: BODY,
      })
      const headers = ['authorization', `DPoP ${token}`, 'dpop', proof, 'content-type', type]
      assert.equal(told(await stage.send({ ...bare, headers })), '415 body-unsupported', type)
    }
    const post = (body: string) => stage.shoot(token, { method: 'POST', target: '/orders/123/refund', body })
    assert.match(told(await post(`\ufeff${BODY}`)), /^40[03]/)
    assert.equal(stage.runs.length, 0)
    assert.equal(told(await stage.refund(token)), '200')
  }),
  atEachDoor(['body.framing'], 'takes no body that is framed twice, or by nothing known', async (stage) => {
    const token = await stage.refundGrant(await stage.task())
    for (const framing of [
      ['content-length: 18', 'content-length: 5'],
      ['content-length: 18, 18'],
      ['content-length: 18', 'transfer-encoding: chunked'],
      ['transfer-encoding: chunked', 'content-length: 0'],
      ['transfer-encoding: xchunked'],
      ['transfer-encoding: gzip, chunked'],
      ['content-length: +18'],
      ['content-length : 18'],
    ]) {
      const text = wireText(refund(stage, token), framing)
      const body = framing.join().includes('chunked') ? `${chunked(BODY)}\r\n` : BODY
      const heard = await converse(await stage.port(), text + body)
      assert.equal(heard.includes(200), false, framing.join())
    }
    assert.equal(stage.runs.length, 0)
    assert.equal(told(await stage.refund(token)), '200')
  }),
  atEachDoor(['body.unread'], 'leaves nothing of a refused body in the connection', async (stage) => {
    const task = await stage.task()
    const token = await stage.readGrant(task)
    const inner = wireText(read(stage, token))
    const unread = { method: 'POST', target: '/orders/123/refund', headers: [...json], body: inner }
    await converse(await stage.port(), wireText(unread))
    assert.equal(stage.runs.length, 0)
    await stage.mount({ more: { bodyLimitBytes: 64 } })
    const long = { ...refund(stage, await stage.refundGrant(task)), body: 'x'.repeat(100) + inner }
    assert.deepEqual((await converse(await stage.port(), wireText(long))).slice(0, 1), [413])
    assert.equal(stage.runs.length, 0)
  }),
  atEachDoor(['body.read-method'], 'takes no body with a method that reads', async (stage) => {
    const token = await stage.readGrant(await stage.task())
    for (const method of ['GET', 'HEAD']) {
      const request = honest(stage, token, { method, target: '/orders/123', body: BODY })
      for (const text of [
        wireText(request),
        `${wireText(request, ['transfer-encoding: chunked'])}${chunked(BODY)}\r\n`,
      ]) {
        const heard = await converse(await stage.port(), text)
        assert.equal(heard.includes(200), false)
      }
    }
    assert.equal(stage.runs.length, 0)
    assert.equal(told(await stage.readOrder(token)), '200')
  }),
  atEachDoor(
    ['body.slow', 'body.gone'],
    'waits for no body for ever, and for none whose sender is gone',
    async (stage) => {
      const token = await stage.refundGrant(await stage.task())
      await stage.mount({ more: { bodyTimeoutMs: 50 } })
      const half = () => wireText(refund(stage, token), [`content-length: ${BODY.length}`]) + BODY.slice(0, 4)
      const socket = await openSocket(await stage.port())
      socket.write(half())
      const [answer] = (await happens(socket, 'data')) as [Buffer]
      assert.match(answer.toString(), /^HTTP\/1\.1 408 /)
      socket.destroy()
      const leaving = await openSocket(await stage.port())
      leaving.write(half())
      leaving.destroy()
      assert.equal(stage.runs.length, 0)
      assert.equal(told(await stage.refund(token)), '200')
    },
  ),
  atEachDoor(['use.aborted'], 'counts the use of a client that went away after the redeem', async (stage) => {
    const token = await stage.refundGrant(await stage.task())
    let reached: () => void = () => undefined
    const running = new Promise<void>((resolve) => {
      reached = resolve
    })
    let finish: () => void = () => undefined
    const gone = new Promise<void>((resolve) => {
      finish = resolve
    })
    await stage.mount({
      handle: async () => {
        reached()
        await gone
        return {}
      },
    })
    const socket = await openSocket(await stage.port())
    socket.write(wireText(refund(stage, token)))
    await running
    socket.destroy()
    await happens(socket, 'close')
    finish()
    assert.match(told(await stage.refund(token)), /^401 grant-exhausted|^409/)
    const ended = async () => (await stage.events()).find(({ type }) => type === 'use.ended')
    for (let turn = 0; turn < 200 && (await ended()) === undefined; turn += 1) await new Promise(setImmediate)
    assert.notEqual(await ended(), undefined, 'its end is on record')
    assert.equal(stage.runs.length, 1)
  }),
  atEachDoor(['side.method'], 'runs a handler for its own method only', async (stage) => {
    const token = await stage.readGrant(await stage.task())
    for (const method of ['HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND', 'POST', 'DELETE']) {
      await converse(await stage.port(), wireText(honest(stage, token, { method, target: '/orders/123' })))
    }
    assert.equal(stage.runs.length, 0)
    assert.equal(told(await stage.readOrder(token)), '200')
  }),
  atEachDoor(['side.trailers'], 'believes nothing in a trailer section', async (stage) => {
    const token = await stage.refundGrant(await stage.task())
    const { headers = [], ...request } = refund(stage, token)
    const trailers = headers.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('')
    const framing = ['transfer-encoding: chunked', 'trailer: authorization, dpop']
    const bare = wireText({ ...request, headers: [...json] }, framing)
    assert.deepEqual(await converse(await stage.port(), `${bare}${chunked(BODY)}${trailers}\r\n`), [401])
    assert.equal(stage.runs.length, 0)
    const more = 'content-type: text/plain\r\nauthorization: Basic eDp5\r\n'
    const whole = wireText({ ...request, headers }, framing)
    assert.deepEqual(await converse(await stage.port(), `${whole}${chunked(BODY)}${more}\r\n`), [200])
  }),
  atEachDoor(['side.pipeline'], 'checks each request of a connection for itself', async (stage) => {
    const task = await stage.task()
    const [one, two] = [await stage.readGrant(task), await stage.refundGrant(task)]
    const own = read(stage, one)
    const heard = await converse(
      await stage.port(),
      [own, { target: '/orders/123' }, refund(stage, two), { ...own, target: '/orders/124' }, own, read(stage, one)]
        .map((request) => wireText(request))
        .join(''),
    )
    assert.deepEqual(heard, [200, 401, 200, 401, 401, 200])
    assert.equal(stage.runs.length, 3)
  }),
  atEachDoor(['side.upgrade'], 'opens no WebSocket under a grant', async (stage) => {
    const token = await stage.readGrant(await stage.task())
    const headers = ['connection', 'Upgrade', 'upgrade', 'websocket', 'sec-websocket-version', '13']
    assert.equal(told(await stage.readOrder(token, { headers })), '400 request-malformed')
    assert.equal(stage.runs.length, 0)
    assert.equal(told(await stage.readOrder(token)), '200')
  }),
  atEachDoor(
    ['flood.trail', 'record.aggregate'],
    'writes one event a reason and window for strangers',
    async (stage) => {
      for (let round = 0; round < 50; round += 1) {
        await stage.send({ target: '/orders/123' })
        await stage.send({ target: '/orders/123', headers: ['authorization', `DPoP x.${round}.y`, 'dpop', 'z'] })
      }
      const counted = (await stage.events()).filter(({ type }) => type === 'traffic.refused')
      assert.equal(counted.length, 2)
      assert.deepEqual(
        counted.map(({ count }) => count),
        [50, 50],
      )
    },
  ),
]
