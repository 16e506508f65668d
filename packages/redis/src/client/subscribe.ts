/** The part of a client that listens: a connection of its own, because one that subscribed does nothing else. */
interface Listening {
  duplicate(): Listening
  connect?(): Promise<unknown>
  on(event: string, listener: (...args: unknown[]) => void): unknown
  subscribe(channel: string, listener?: (message: string) => void): Promise<unknown>
  destroy?(): void
  disconnect?(): unknown
}

/**
 * Wakes for each message, and once whenever it begins to listen, because something may have been said before. What goes
 * wrong here only means that nobody is woken: readers look by themselves too.
 */
export function subscribeIoredis(client: object, channel: string, wake: () => void): () => void {
  return listening(client, wake, (own, heard) => {
    own.on('message', heard)
    own.on('ready', heard)
    own.subscribe(channel).then(heard, ignore)
    return () => own.disconnect?.()
  })
}

export function subscribeNodeRedis(client: object, channel: string, wake: () => void): () => void {
  return listening(client, wake, (own, heard) => {
    own.on('ready', heard)
    const connected = own.connect?.() ?? Promise.resolve()
    connected.then(() => own.subscribe(channel, heard)).then(heard, ignore)
    return () => own.destroy?.()
  })
}

function listening(
  client: object,
  wake: () => void,
  listen: (own: Listening, heard: () => void) => () => unknown,
): () => void {
  let open = true
  const own = (client as Listening).duplicate()
  own.on('error', ignore)
  const end = listen(own, () => {
    if (open) wake()
  })
  return () => {
    if (open) end()
    open = false
  }
}

function ignore(): void {
  // A lost wake is allowed for.
}
