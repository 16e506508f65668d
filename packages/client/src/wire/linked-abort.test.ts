import { getEventListeners } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import { desk, task } from '../../test/desk.ts'
import { linkAborts } from './linked-abort.ts'

describe('linkAborts()', () => {
  test('linkAborts() follows each of its signals, with the reason', () => {
    const [first, second] = [new AbortController(), new AbortController()]
    const { signal } = linkAborts([first.signal, second.signal])
    second.abort(new Error('enough'))
    expect(signal.reason).toEqual(new Error('enough'))
  })

  test('linkAborts() is aborted at once by what was aborted before', () => {
    expect(linkAborts([AbortSignal.abort(new Error('too late'))]).signal.reason).toEqual(new Error('too late'))
  })

  test('linkAborts() leaves nothing behind when it is released', () => {
    const { signal } = new AbortController()
    linkAborts([signal]).release()
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})

describe('a task with many calls', () => {
  test('a task with many calls at once warns of nothing and leaves nothing on its signals', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const { client } = desk()
    const stop = new AbortController()
    await client.task({ ...task, signal: stop.signal }, async (task) => {
      const orders = Array.from({ length: 40 }, (_, index) => `order:${index}` as const)
      const before = getEventListeners(stop.signal, 'abort').length
      await Promise.all(orders.map((resource) => task.call('order.read', { resource, signal: stop.signal })))
      expect(getEventListeners(stop.signal, 'abort')).toHaveLength(before)
      return true
    })
    expect(warn.mock.calls.filter(([text]) => String(text).includes('MaxListeners'))).toEqual([])
    warn.mockRestore()
  })
})
