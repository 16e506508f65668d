import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { RawRequest } from './raw-request.ts'

/** A request as HTTP/1.1 text; header fields are written as they are given. */
export function wireText(
  { method = 'GET', target = '/', headers = [], body }: RawRequest,
  more: readonly string[] = [],
): string {
  const fields = []
  for (let index = 0; index + 1 < headers.length; index += 2) fields.push(`${headers[index]}: ${headers[index + 1]}`)
  const framed = more.some((field) => /^(?:content-length|transfer-encoding)/i.test(field))
  const length = body === undefined || framed ? [] : [`content-length: ${Buffer.byteLength(body)}`]
  return [
    `${method} ${target} HTTP/1.1`,
    'host: x',
    ...fields,
    ...length,
    ...more,
    '',
    framed || body === undefined ? '' : String(body),
  ].join('\r\n')
}

export async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** Writes these bytes, says that nothing more comes, and returns all that the server says until it closes. */
export async function converse(port: number, text: string): Promise<string> {
  const socket = await open(port)
  let heard = ''
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1')
  })
  const closed = once(socket, 'close')
  socket.end(text)
  await closed
  return heard
}

/** Resolves with all that was heard once it fits. */
export async function hear(socket: Socket, wanted: RegExp): Promise<string> {
  let heard = ''
  return new Promise((resolve) => {
    const listen = (chunk: Buffer) => {
      heard += chunk.toString('latin1')
      if (wanted.test(heard)) resolve(heard)
    }
    socket.on('data', listen)
    socket.on('close', () => resolve(heard))
  })
}

/** Status codes in the order they were answered. */
export const statuses = (heard: string): number[] =>
  [...heard.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]))
