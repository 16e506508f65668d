import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { fetchDocument, isFetchable } from './fetch-document.ts'

const servers: ReturnType<typeof createServer>[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
  vi.useRealTimers()
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
}

const answers =
  (status: number, body: string, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(status, headers).end(body)
  }

describe('fetchDocument()', () => {
  test('fetchDocument() reads a JSON object over loopback http', async () => {
    const url = await serve(answers(200, '{"keys":[]}'))
    expect(await fetchDocument(fetch, url)).toEqual({ ok: true, value: { keys: [] } })
  })

  test.each([
    ['a redirect', answers(302, '', { location: '/elsewhere' })],
    ['an error', answers(500, '{"keys":[]}')],
    ['an array', answers(200, '[]')],
    ['JSON with a repeated member', answers(200, '{"keys":[],"keys":[]}')],
    ['no JSON', answers(200, '<html>')],
    ['more than it may hold', answers(200, `{"keys":"${'a'.repeat(300_000)}"}`)],
  ])('fetchDocument() refuses %s', async (_name, listener) => {
    expect(await fetchDocument(fetch, await serve(listener))).toMatchObject({ ok: false, reason: 'keys-unavailable' })
  })

  test('fetchDocument() gives up after three seconds, even on a fetch that ignores its signal', async () => {
    vi.useFakeTimers()
    const document = fetchDocument(() => new Promise(() => {}), 'https://issuer.test/keys')
    await vi.advanceTimersByTimeAsync(3000)
    expect(await document).toMatchObject({ ok: false, reason: 'keys-unavailable' })
  })

  test.each([
    'http://issuer.test/keys',
    'ftp://127.0.0.1/',
    'https://user@issuer.test/',
    'https://issuer.test/#x',
    'http://127.0.0.1.evil.test/',
    'file:///etc/passwd',
    '',
  ])('fetchDocument() never asks %j', async (url) => {
    const spy = vi.fn<typeof fetch>()
    expect(await fetchDocument(spy, url)).toMatchObject({ ok: false })
    expect(spy).not.toHaveBeenCalled()
  })

  test.each(['https://issuer.test', 'http://localhost:3000/a', 'http://[::1]/'])('isFetchable() takes %s', (url) => {
    expect(isFetchable(url)).toBe(true)
  })
})
