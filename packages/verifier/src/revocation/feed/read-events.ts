/** Longest line, in characters, and so the most that is held of a stream that sends no line end. */
const MAX_LINE_CHARS = 300_000
/** An event is one line of data here; more lines are somebody else's stream. */
const MAX_DATA_LINES = 4

/**
 * The data of each event of an event stream (HTML, server-sent events, section 9.2.6), as they come. Ends with the
 * stream. Throws when the stream breaks off or is longer-winded than it may be. `id` is not read: the place is signed.
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  const events = new EventsOfText()
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      for (const data of events.take(decoder.decode(read.value, { stream: true }))) yield data
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

class EventsOfText {
  #rest = ''
  #data: string[] = []

  /** The data of each event that ends in this piece of the stream. Throws for what is too long. */
  take(text: string): readonly string[] {
    const events: string[] = []
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > MAX_LINE_CHARS) throw new Error('A line of the event stream is too long')
    for (const line of lines) {
      if (line.startsWith('data:')) this.#data.push(line.slice(line[5] === ' ' ? 6 : 5))
      if (this.#data.length > MAX_DATA_LINES) throw new Error('An event of the event stream is too long')
      if (line !== '' || this.#data.length === 0) continue
      events.push(this.#data.join('\n'))
      this.#data = []
    }
    return events
  }
}
