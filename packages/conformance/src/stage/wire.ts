import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { RawRequest } from './send.ts'

/** A request as HTTP/1.1 text. With framing of its own, the body is left to the caller. */
export function wireText(
  { method = 'GET', target, headers = [], body }: RawRequest,
  framing?: readonly string[],
): string {
  const fields: string[] = []
  for (let index = 0; index + 1 < headers.length; index += 2) fields.push(`${headers[index]}: ${headers[index + 1]}`)
  const framed = framing ?? (body === undefined ? [] : [`content-length: ${Buffer.byteLength(body)}`])
  const text = framing === undefined ? (body ?? '') : ''
  return [`${method} ${target} HTTP/1.1`, 'host: x', ...fields, ...framed, '', text].join('\r\n')
}

export async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** Writes these bytes, says that nothing more comes, and returns the status codes that were answered until the close. */
export async function converse(port: number, text: string): Promise<readonly number[]> {
  const socket = await openSocket(port)
  let heard = ''
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1')
  })
  const closed = once(socket, 'close')
  socket.end(text)
  await closed
  return [...heard.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]))
}

export const chunked = (body: string): string => `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n`
