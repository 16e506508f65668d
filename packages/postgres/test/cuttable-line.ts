import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { onTestFinished } from 'vitest'

export interface CuttableLine {
  /** Where clients reach the server through the line. */
  readonly url: string
  /** What becomes of it: `swallow` keeps back what the server says, `refuse` takes no connection. */
  state: 'pass' | 'swallow' | 'refuse'
  /** Cuts every connection there is. */
  cut(): void
  close(): void
}

/** A line to the server that can be cut, for the length of a test. */
export async function cuttableLine(url: string): Promise<CuttableLine> {
  const line = await openLine(url)
  onTestFinished(() => line.close())
  return line
}

export async function openLine(url: string): Promise<CuttableLine> {
  const { port } = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer((from) => {
    if (line.state === 'refuse') {
      from.destroy()
      return
    }
    const to = connect(Number(port), '127.0.0.1')
    from.pipe(to)
    to.on('data', (data) => {
      if (line.state === 'pass') from.write(data)
    })
    for (const socket of [from, to]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        from.destroy()
        to.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const own = new URL(url)
  own.port = String(typeof address === 'object' && address !== null ? address.port : 0)
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  const line: CuttableLine = {
    url: own.href,
    state: 'pass',
    cut,
    close() {
      server.close()
      cut()
    },
  }
  return line
}
