import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readEvents } from './read-events.ts'

const stream = (...chunks: (string | Uint8Array)[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks)
        controller.enqueue(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk)
      controller.close()
    },
  })

async function all(body: ReadableStream<Uint8Array>) {
  const events: string[] = []
  for await (const event of readEvents(body)) events.push(event)
  return events
}

describe('readEvents()', () => {
  test.each([
    ['one event', 'data: a\n\n', ['a']],
    ['fields that are not data', 'id: 7\nevent: x\nretry: 1\n: comment\ndata: a\n\n', ['a']],
    ['carriage returns', 'data: a\r\n\r\ndata: b\r\rdata: c\n\n', ['a', 'b', 'c']],
    ['no space', 'data:a\n\n', ['a']],
    ['only one space taken off', 'data:  a\n\n', [' a']],
    ['empty lines between', '\n\n\ndata: a\n\n\n\n', ['a']],
    ['an event that was not finished', 'data: a\n\ndata: b\n', ['a']],
    ['nothing', '', []],
  ])('reads %s', async (_what, text, events) => {
    expect(await all(stream(text))).toEqual(events)
  })

  test('reads the same however the bytes are cut', async () => {
    const bytes = new TextEncoder().encode('id: 1\r\ndata: a.b.ü\r\n\r\ndata: c\n\n')
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(bytes.length)), async (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
        const chunks = places.slice(1).map((end, index) => bytes.slice(places[index], end))
        expect(await all(stream(...chunks))).toEqual(['a.b.ü', 'c'])
      }),
    )
  })

  test.each([
    ['a line without end', `data: ${'x'.repeat(300_001)}`],
    ['an event of many lines', 'data: x\n'.repeat(5)],
  ])('throws for %s, and lets the stream go', async (_what, text) => {
    let cancelled = false
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode(text)),
      cancel: () => void (cancelled = true),
    })
    await expect(all(endless)).rejects.toThrow('too long')
    expect(cancelled).toBe(true)
  })
})
