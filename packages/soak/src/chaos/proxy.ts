import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import type { Random } from './random.ts'

export interface Proxy {
  readonly port: number
  /** Cuts some of the connections there are, in the middle of whatever they carry. */
  cut(share: number, random: Random): number
  close(): Promise<void>
}

/** Stands before one or several servers of loopback; each connection goes to the next of them. */
export async function startProxy(targets: readonly number[], port = 0): Promise<Proxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let turn = 0
  const server = createServer((down) => {
    const up = connect(targets[(turn += 1) % targets.length] ?? 0, '127.0.0.1')
    const pair = [down, up] as const
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      down.destroy()
      up.destroy()
    }
    for (const socket of pair) {
      socket.setNoDelay(true)
      socket.on('error', end).on('close', end)
    }
    down.pipe(up)
    up.pipe(down)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    cut(share, random) {
      const chosen = [...pairs].filter(() => random.chance(share))
      for (const [down, up] of chosen) {
        down.destroy()
        up.destroy()
      }
      return chosen.length
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const [down, up] of pairs) {
        down.destroy()
        up.destroy()
      }
      await closed
    },
  }
}
