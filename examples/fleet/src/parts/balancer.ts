import { connect, createServer, type Server, type Socket } from 'node:net'

/** Hands each connection to the next port that answers: what a load balancer does, and no more. */
export async function balance(port: number, ports: readonly number[]): Promise<Server> {
  let next = 0
  const hand = (client: Socket, tries: number): void => {
    const target = ports[next++ % ports.length] ?? 0
    const upstream = connect({ port: target, host: '127.0.0.1' })
    upstream.once('connect', () => {
      client.pipe(upstream)
      upstream.pipe(client)
      upstream.on('close', () => client.destroy())
      client.on('close', () => upstream.destroy())
    })
    upstream.on('error', () => {
      if (upstream.connecting && tries > 1) hand(client, tries - 1)
      else if (!client.writableEnded && upstream.bytesRead === 0 && tries > 1) hand(client, tries - 1)
      else client.destroy()
    })
    client.on('error', () => upstream.destroy())
  }
  const server = createServer((client) => hand(client, ports.length))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  server.unref()
  return server
}
