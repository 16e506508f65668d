import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'

export interface Proxy {
  readonly port: number
  /** Where new connections go. */
  target: number
  /** What comes back from the server: passed on, dropped with the connection at once, or kept back for ever. */
  answers: 'pass' | 'cut' | 'swallow'
  /** Cuts every connection there is. */
  cutAll(): void
  close(): Promise<void>
}

/** Stands between a client and its server, and breaks what goes through it. */
export async function startProxy(target: number): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const server = createServer((down) => {
    const up = connect(proxy.target, '127.0.0.1')
    for (const socket of [down, up]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
    }
    down.on('data', (data) => up.write(data))
    up.on('data', (data) => {
      if (proxy.answers === 'pass') down.write(data)
      if (proxy.answers === 'cut') down.destroy()
    })
    const end = () => {
      for (const socket of [down, up]) {
        socket.destroy()
        sockets.delete(socket)
      }
    }
    down.on('close', end)
    up.on('close', end)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const proxy: Proxy = {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    target,
    answers: 'pass',
    cutAll() {
      for (const socket of sockets) socket.destroy()
    },
    async close() {
      proxy.cutAll()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}
