import { connect } from 'node:net'
import type { Socket } from 'node:net'

/** A connection this idle in the middle of a slice belongs to a server that hangs; between slices it waits longer. */
const ANSWER_MS = 120_000
const HEADER_END = Buffer.from('\r\n\r\n')

/** One keep-alive connection. Knows as much HTTP/1.1 as the servers of the bench speak: status, Content-Length, body. */
export class LoadConnection {
  onStatus: (status: number) => void = () => {}
  onBroken: (error: Error) => void = () => {}
  readonly #socket: Socket
  #received: Buffer | undefined = undefined
  #busy = false

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setTimeout(ANSWER_MS, () => socket.destroy())
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      if (this.#busy) this.#broken()
    })
  }

  /** Sends one request; `onStatus` or `onBroken` is called once for it. */
  exchange(request: Buffer): void {
    this.#busy = true
    if (this.#socket.destroyed) this.#broken()
    else this.#socket.write(request)
  }

  close(): void {
    this.#busy = false
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    const received = this.#received === undefined ? chunk : Buffer.concat([this.#received, chunk])
    const status = statusOfWhole(received)
    this.#received = status === undefined ? received : undefined
    if (status === undefined) return
    this.#busy = false
    this.onStatus(status)
  }

  #broken(): void {
    this.onBroken(new Error('A server closed a connection in the middle of the load, or kept it waiting too long.'))
  }
}

export function openConnection(port: number): Promise<LoadConnection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => {
      socket.off('error', reject)
      resolve(new LoadConnection(socket))
    })
    socket.once('error', reject)
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
