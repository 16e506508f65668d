import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { hear, open, statuses } from '../../test/socket.ts'
import { announcesBody, nodeBodyReader } from './read-node-body.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function serve(handle: (request: IncomingMessage) => Promise<unknown>, options = {}): Promise<number> {
  const server = createServer(options, (request, response) => {
    void handle(request).then((said) => response.end(JSON.stringify(said)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

test('nodeBodyReader() answers for a sender that was gone before it was asked', async () => {
  const answered = new Promise((resolve) => {
    void serve(async (request) => {
      await new Promise((gone) => {
        request.on('close', () => gone(undefined))
      })
      resolve(await nodeBodyReader(request)(100, 1000))
    }).then(async (port) => {
      const socket = await open(port)
      socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab')
      setImmediate(() => socket.destroy())
    })
  })
  expect(await answered).toMatchObject({ ok: false, reason: 'request-malformed' })
})

test('nodeBodyReader() waits for a slow sender no longer than it was told', async () => {
  const port = await serve((request) => Promise.resolve(nodeBodyReader(request)(100, 30)))
  const socket = await open(port)
  const heard = hear(socket, /\}/)
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab')
  expect(await heard).toMatch(/"reason":"body-timeout"/)
  socket.destroy()
})

test('nodeBodyReader() leaves no listener behind', async () => {
  const port = await serve(async (request) => {
    const before = request.eventNames().length
    const read = await nodeBodyReader(request)(100, 1000)
    return { left: request.eventNames().length - before, read: read.ok && Buffer.from(read.value ?? []).toString() }
  })
  const socket = await open(port)
  const heard = hear(socket, /\}/)
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nabcde')
  expect(await heard).toMatch(/\{"left":0,"read":"abcde"\}/)
  socket.destroy()
})

test('announcesBody() believes chunks over a length of nothing, where a lax server takes both', async () => {
  const port = await serve((request) => Promise.resolve({ announced: announcesBody(request) }), {
    insecureHTTPParser: true,
  })
  const socket = await open(port)
  const heard = hear(socket, /\}|400/)
  socket.write(
    'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n',
  )
  const said = await heard
  expect(statuses(said)[0] === 400 || said.includes('{"announced":true}')).toBe(true)
  socket.destroy()
})

test.each([
  [{ 'content-length': '0' }, false],
  [{ 'content-length': '00' }, true],
  [{ 'content-length': '1' }, true],
  [{ 'transfer-encoding': 'chunked', 'content-length': '0' }, true],
  [{ 'transfer-encoding': '' }, true],
  [{}, false],
])('announcesBody() of %j is %s', (headers, expected) => {
  expect(announcesBody({ headers, httpVersionMajor: 1 } as never)).toBe(expected)
})

test.each([
  [{}, { endAfterHeaders: true }, false],
  [{}, { endAfterHeaders: false }, true],
  [{ 'content-length': '0' }, { endAfterHeaders: false }, true],
  [{ 'content-length': '5' }, { endAfterHeaders: false }, true],
  [{}, undefined, true],
])('announcesBody() of HTTP/2 with %j and stream %j is %s', (headers, stream, expected) => {
  expect(announcesBody({ headers, stream, httpVersionMajor: 2 } as never)).toBe(expected)
})
