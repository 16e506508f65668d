/** Longest line, in characters, and so the most that is held of a stream that sends no line end. */
const MAX_LINE_CHARS = 300_000
/** An event is one line of data here; more lines are somebody else's stream. */
const MAX_DATA_LINES = 4

/**
 * The data of each event of an event stream (HTML, server-sent events, section 9.2.6), as they come. Ends with the
 * stream. Throws when the stream breaks off or is longer-winded than it may be. `id` is not read: the place is signed.
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  let data: string[] = []
  for await (const line of readLines(body)) {
    if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5))
    if (data.length > MAX_DATA_LINES) throw new Error('An event of the event stream is too long')
    if (line !== '' || data.length === 0) continue
    yield data.join('\n')
    data = []
  }
}

async function* readLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      rest += decoder.decode(read.value, { stream: true })
      const lines = rest.split(/\r\n|\n|\r(?!$)/)
      rest = lines.pop() ?? ''
      if (rest.length > MAX_LINE_CHARS) throw new Error('A line of the event stream is too long')
      yield* lines
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}
