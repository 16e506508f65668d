import { describe, expect, test } from 'vitest'
import { readBody, textOf } from './body.ts'

const expectForm = { contentType: 'application/x-www-form-urlencoded', maxBytes: 16 }
const post = (body: BodyInit | null, headers: Record<string, string>) =>
  new Request('https://broker.test/token', { method: 'POST', body, headers, duplex: 'half' } as RequestInit)

const drip = (chunks: readonly string[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk))
      controller.close()
    },
  })

describe('readBody()', () => {
  test.each(['application/x-www-form-urlencoded', 'Application/X-WWW-Form-Urlencoded; charset=UTF-8'])(
    'readBody() takes content type %s',
    async (type) => {
      const body = await readBody(post('a=1', { 'content-type': type }), expectForm)
      expect(body).toEqual({ ok: true, value: new TextEncoder().encode('a=1') })
    },
  )

  test.each([
    ['another content type', post('a=1', { 'content-type': 'application/json' }), 'body-unsupported'],
    ['no content type', post(new Blob(['a=1']), {}), 'body-unsupported'],
    [
      'another charset',
      post('a=1', { 'content-type': 'application/x-www-form-urlencoded; charset=utf-16' }),
      'body-unsupported',
    ],
    [
      'a compressed body',
      post('a=1', { 'content-type': expectForm.contentType, 'content-encoding': 'gzip' }),
      'body-unsupported',
    ],
    ['a body above its limit', post('a'.repeat(17), { 'content-type': expectForm.contentType }), 'body-too-large'],
    [
      'a body that grows above its limit',
      post(drip(['a'.repeat(10), 'a'.repeat(10)]), { 'content-type': expectForm.contentType }),
      'body-too-large',
    ],
    [
      'a length above the limit',
      post('a', { 'content-type': expectForm.contentType, 'content-length': '999' }),
      'body-too-large',
    ],
  ])('readBody() refuses %s', async (_name, request, reason) => {
    expect(await readBody(request, expectForm)).toMatchObject({ ok: false, reason })
  })

  test('readBody() joins the chunks of a body', async () => {
    const body = await readBody(post(drip(['a=', '1', '23']), { 'content-type': expectForm.contentType }), expectForm)
    expect(body.ok && textOf(body.value)).toEqual({ ok: true, value: 'a=123' })
  })

  test('readBody() refuses a body that breaks off', async () => {
    const broken = new ReadableStream({ start: (controller) => controller.error(new Error('gone')) })
    const body = await readBody(post(broken, { 'content-type': expectForm.contentType }), expectForm)
    expect(body).toMatchObject({ ok: false, reason: 'request-malformed' })
  })

  test('textOf() refuses bytes that are not UTF-8', () => {
    expect(textOf(new Uint8Array([0xff, 0x61]))).toMatchObject({ ok: false })
  })
})
