import { describe, expect, test } from 'vitest'
import { joined, readLimited } from './read-limited.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

/** A response whose body comes in these chunks, and what became of it. */
function streamed(chunks: readonly Uint8Array[], headers: Record<string, string> = {}) {
  const state = { pulled: 0, cancelled: false }
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[state.pulled]
        if (chunk === undefined) return controller.close()
        state.pulled += 1
        return controller.enqueue(chunk)
      },
      cancel() {
        state.cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return { state, message: new Response(body, { headers }) }
}

describe('readLimited()', () => {
  test.each<{ name: string; chunks: Uint8Array[]; read: Uint8Array }>([
    { name: 'nothing', chunks: [], read: bytes() },
    { name: 'one chunk', chunks: [bytes(1, 2)], read: bytes(1, 2) },
    { name: 'chunks up to the limit', chunks: [bytes(1, 2), bytes(3), bytes(4)], read: bytes(1, 2, 3, 4) },
  ])('reads $name', async ({ chunks, read }) => {
    const { message, state } = streamed(chunks)
    expect(await readLimited(message, 4)).toEqual(read)
    expect(state.cancelled).toBe(false)
  })

  test('reads a message without a body as no bytes, whatever length it says', async () => {
    expect(await readLimited(new Response(null, { headers: { 'content-length': '9' } }), 4)).toEqual(bytes())
  })

  test('reads a body of exactly the limit that says its length', async () => {
    const { message } = streamed([bytes(1, 2, 3, 4)], { 'content-length': '4' })
    expect(await readLimited(message, 4)).toEqual(bytes(1, 2, 3, 4))
  })

  test('drops a body that says it is too long, unread', async () => {
    const { message, state } = streamed([bytes(1)], { 'content-length': '5' })
    expect(await readLimited(message, 4)).toBeUndefined()
    expect(state).toEqual({ pulled: 0, cancelled: true })
  })

  test.each(['1', '', 'abc', '-1'])('does not believe the length %j', async (length) => {
    const { message, state } = streamed([bytes(1, 2), bytes(3, 4), bytes(5), bytes(6)], { 'content-length': length })
    expect(await readLimited(message, 4)).toBeUndefined()
    expect(state).toEqual({ pulled: 3, cancelled: true })
  })

  test.each([
    { name: 'while it waits for bytes', asked: true },
    { name: 'before it asked for any', asked: false },
  ])('throws and drops the rest where it is late $name', async ({ asked }) => {
    const state = { cancelled: false }
    const late = new AbortController()
    let waits: (() => void) | undefined
    const waiting = new Promise<void>((resolve) => (waits = resolve))
    const body = new ReadableStream<Uint8Array>({
      pull: () => (waits?.(), new Promise<void>(() => undefined)),
      cancel() {
        state.cancelled = true
      },
    })
    const read = readLimited(new Response(body), 4, late.signal)
    const outcome = read.then(
      () => 'read',
      (error: Error) => error.message,
    )
    if (asked) await waiting
    late.abort()
    expect(await outcome).toBe('The body did not arrive in time')
    expect(state.cancelled).toBe(true)
  })

  test('takes what came in time', async () => {
    const { message } = streamed([bytes(1), bytes(2)])
    expect(await readLimited(message, 4, new AbortController().signal)).toEqual(bytes(1, 2))
  })
})

describe('joined()', () => {
  test('lays chunks behind each other and hands back one as it is', () => {
    const one = bytes(1, 2)
    expect(joined([one], 2)).toBe(one)
    expect(joined([one, bytes(), bytes(3)], 3)).toEqual(bytes(1, 2, 3))
    expect(joined([], 0)).toEqual(bytes())
  })
})
