import { describe, expect, test } from 'vitest'
import { readLimited } from './read-limited.ts'
import { within } from './send.ts'

const streamed = (...chunks: string[]) => {
  const text = new TextEncoder()
  return new Response(
    new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(text.encode(chunk))
        controller.close()
      },
    }),
  )
}

describe('readLimited()', () => {
  test.each<[string, Response, number, string | undefined]>([
    ['nothing', new Response(null), 0, ''],
    ['all of it', new Response('abc'), 3, 'abc'],
    ['several chunks', streamed('ab', 'c', 'de'), 5, 'abcde'],
    ['one byte too many', new Response('abcd'), 3, undefined],
    ['too many in several chunks', streamed('ab', 'c', 'de'), 4, undefined],
  ])('readLimited() of %s', async (...row) => {
    const [, response, most, expected] = row
    const bytes = await readLimited(response, most)
    expect(bytes && new TextDecoder().decode(bytes)).toBe(expected)
  })
})

describe('within()', () => {
  test('within() hands on what the work gave', async () => {
    expect(await within({ timeoutMs: 1000 }, async () => 7)).toEqual({ ok: true, value: 7 })
  })

  test('within() gives up work that does not listen', async () => {
    expect(await within({ timeoutMs: 1 }, () => new Promise(() => {}))).toEqual({ ok: false, reason: 'unavailable' })
  })

  test('within() does not abort what is done', async () => {
    const caller = new AbortController()
    let given: AbortSignal | undefined
    await within({ timeoutMs: 1000, signal: caller.signal }, async (signal) => {
      given = signal
    })
    caller.abort()
    expect(given?.aborted).toBe(false)
  })

  test('within() throws the reason of the caller, and nothing of the work', async () => {
    const caller = new AbortController()
    const work = within({ timeoutMs: 1000, signal: caller.signal }, async () => {
      caller.abort(new Error('enough'))
      throw new Error('CANARY')
    })
    await expect(work).rejects.toThrow('enough')
  })
})
