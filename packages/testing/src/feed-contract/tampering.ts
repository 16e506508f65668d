/** What goes from the broker to a verifier, and may be held, lost, doubled or changed on the way. */
export type Wire = (message: string) => readonly string[]

/** Hands on whole messages of an event stream, each as the wire has it. */
export function tampering(wire: Wire): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder()
  const encoder = new TextEncoder()
  let rest = ''
  return new TransformStream({
    transform(chunk, controller) {
      const messages = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
      rest = messages.pop() ?? ''
      for (const message of messages) {
        for (const carried of wire(message)) controller.enqueue(encoder.encode(`${carried}\n\n`))
      }
    },
  })
}
