import { openConnection } from './load-connection.ts'

/** Keep-alive connections to one server, each with one request at a time. */
export interface Load {
  /** Sends every request over whichever connection is free; resolves with the statuses, in order of arrival. */
  send(requests: readonly Buffer[]): Promise<number[]>
  /** Milliseconds, in all, in which it waited for the server with nothing else to do. */
  readonly waited: number
  close(): void
}

/** Opens the connections to a port of this machine. */
export async function createLoad(port: number, connections: number): Promise<Load> {
  const open = await Promise.all(Array.from({ length: connections }, () => openConnection(port)))
  let waited = 0
  return {
    get waited() {
      return waited
    },
    send: (requests) =>
      new Promise((resolve, reject) => {
        const statuses: number[] = []
        let next = 0
        stayAwake(
          () => requests.length - statuses.length,
          (milliseconds) => (waited += milliseconds),
        )
        for (const connection of open) {
          const sendNext = (): void => {
            const request = requests[next]
            if (request === undefined) return
            next += 1
            connection.exchange(request)
          }
          connection.onStatus = (status) => {
            statuses.push(status)
            if (statuses.length === requests.length) resolve(statuses)
            else sendNext()
          }
          connection.onBroken = reject
          sendNext()
        }
      }),
    close() {
      for (const connection of open) connection.close()
    },
  }
}

/**
 * Keeps this process off the idle loop while it waits: a server that answers a sleeping core pays for waking it, which
 * on virtual machines is dearer than most requests, and the faster server would be spared it. Turns of the event loop
 * in which nothing arrived are what it waited.
 */
function stayAwake(missing: () => number, waited: (milliseconds: number) => void): void {
  let last = { at: performance.now(), missing: missing() }
  const turn = (): void => {
    const now = { at: performance.now(), missing: missing() }
    if (now.missing === last.missing) waited(now.at - last.at)
    last = now
    if (now.missing > 0) setImmediate(turn)
  }
  if (last.missing > 0) setImmediate(turn)
}
