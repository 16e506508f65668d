import { createServer } from 'node:net'

/** Below what systems give to outgoing connections: a server that was killed finds its port free again. */
const [LOWEST, COUNT] = [11_000, 6000]

export async function freePorts(wanted: number): Promise<readonly number[]> {
  const found = new Set<number>()
  while (found.size < wanted) {
    const port = LOWEST + Math.floor(Math.random() * COUNT)
    if (await isFree(port)) found.add(port)
  }
  return [...found]
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
