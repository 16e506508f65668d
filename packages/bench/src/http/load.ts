import { connect } from 'node:net'
import type { Socket } from 'node:net'

/** Keep-alive connections to one server, each with one request at a time. */
export interface Load {
  /** Sends every request over whichever connection is free; resolves with the statuses, in order of arrival. */
  send(requests: readonly Buffer[]): Promise<number[]>
  close(): void
}

/** A connection this idle in the middle of a slice belongs to a server that hangs; between slices it waits longer. */
const ANSWER_MS = 120_000
const HEADER_END = Buffer.from('\r\n\r\n')

/** Opens the connections. Knows as much HTTP/1.1 as the servers of the bench speak: status, Content-Length, body. */
export async function createLoad(port: number, connections: number): Promise<Load> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)))
  return {
    send: (requests) =>
      new Promise((resolve, reject) => {
        const statuses: number[] = []
        let next = 0
        stayAwake(() => statuses.length < requests.length)
        const sendOne = (socket: Socket): void => {
          const request = requests[next]
          if (request === undefined) return
          next += 1
          exchange(socket, request).then((status) => {
            statuses.push(status)
            if (statuses.length === requests.length) resolve(statuses)
            else sendOne(socket)
          }, reject)
        }
        for (const socket of sockets) sendOne(socket)
      }),
    close() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

/**
 * Keeps this process off the idle loop while it waits: a server that answers a sleeping core pays for waking it, which
 * on virtual machines is dearer than most requests, and the faster server would be spared it.
 */
function stayAwake(isNeeded: () => boolean): void {
  if (isNeeded()) setImmediate(() => stayAwake(isNeeded))
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket))
    socket.once('error', reject)
    socket.setTimeout(ANSWER_MS, () => socket.destroy())
  })
}

function exchange(socket: Socket, request: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    let received: Buffer | undefined
    const onData = (chunk: Buffer): void => {
      received = received === undefined ? chunk : Buffer.concat([received, chunk])
      const status = statusOfWhole(received)
      if (status === undefined) return
      detach()
      resolve(status)
    }
    const onClose = (): void => {
      detach()
      reject(new Error('A server closed a connection in the middle of the load, or kept it waiting too long.'))
    }
    const detach = (): void => {
      socket.off('data', onData)
      socket.off('close', onClose)
    }
    if (socket.destroyed) return onClose()
    socket.on('data', onData)
    socket.on('close', onClose)
    socket.write(request)
  })
}

/** The status of a response that is all there; undefined while more is to come. */
export function statusOfWhole(response: Buffer): number | undefined {
  const end = response.indexOf(HEADER_END)
  if (end < 0) return undefined
  const head = response.toString('latin1', 0, end)
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
  return response.length >= end + HEADER_END.length + length ? Number(head.slice(9, 12)) : undefined
}
