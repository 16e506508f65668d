/** The part of postgres.js that listens: on a connection of its own, which it makes anew when it is cut. */
export interface ListeningSql {
  listen?(
    channel: string,
    heard: (payload: string) => void,
    listening: () => void,
  ): PromiseLike<{ unlisten(): PromiseLike<unknown> }>
}

export function listenByPostgresJs(
  sql: ListeningSql,
  channel: string,
  heard: (payload: string | undefined) => void,
): () => void {
  let open = true
  const tell = (payload?: string) => {
    if (open) heard(payload)
  }
  // One that could not begin is begun by the client as soon as it has a connection.
  const listening = (async () => sql.listen?.(channel, tell, () => tell()))()
  return () => {
    open = false
    listening.then((begun) => begun?.unlisten()).catch(ignore)
  }
}

function ignore(): void {
  // Nobody is woken by it any more, whether the server was told or not.
}
