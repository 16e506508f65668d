import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { TrailDisk } from './batch-writer.node.ts'
import { ForeignChange, createBatchWriter } from './batch-writer.node.ts'

/** A disk in memory that fails when it is told to. */
function fakeDisk() {
  const state = { text: '', syncs: 0, failWrite: false, failSync: false, foreign: false, tearAt: Infinity }
  const failure = (code: string): Error => Object.assign(new Error('CANARY'), { code })
  const disk: TrailDisk = {
    checkOwn(size) {
      if (state.foreign || state.text.length !== size) throw new ForeignChange('someone else wrote to the file')
    },
    async write(bytes) {
      const text = Buffer.from(bytes).toString()
      state.text += state.failWrite ? text.slice(0, 3) : text
      if (state.failWrite) throw failure('ENOSPC')
    },
    async sync() {
      if (state.failSync) throw failure('EIO')
      state.syncs += 1
    },
    async truncate(size) {
      state.text = state.text.slice(0, size)
    },
  }
  return { state, disk }
}

function setUp() {
  const { state, disk } = fakeDisk()
  const writer = createBatchWriter({ disk, path: '/trail', size: 0, gatherMs: 10, retryMs: 1000 })
  return { state, writer }
}
const unavailable = expect.objectContaining({ code: 'audit-unavailable' })

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('createBatchWriter()', () => {
  test('gathers lines into one write and one sync', async () => {
    const { state, writer } = setUp()
    for (const line of ['a', 'b', 'c']) writer.push(line)
    expect(state.text).toBe('')
    await vi.advanceTimersByTimeAsync(10)
    expect(state).toMatchObject({ text: 'a\nb\nc\n', syncs: 1 })
    expect(writer.waiting).toBe(0)
  })

  test('does not gather while someone waits, and all who wait share the sync', async () => {
    const { state, writer } = setUp()
    const waiting = ['a', 'b', 'c'].map((line) => {
      writer.push(line)
      return writer.durable()
    })
    await vi.advanceTimersByTimeAsync(1)
    await Promise.all(waiting)
    expect(state).toMatchObject({ text: 'a\nb\nc\n', syncs: 1 })
  })

  test('does not call durable what was pushed but not synced', async () => {
    const { state, writer } = setUp()
    state.failSync = true
    writer.push('a')
    const outcome = writer.durable().catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(1)
    expect(await outcome).toEqual(unavailable)
    expect(writer.waiting).toBe(1)
  })

  test('after a failure cuts the torn batch off, keeps every line in order and tries again by itself', async () => {
    const { state, writer } = setUp()
    writer.push('first')
    await vi.advanceTimersByTimeAsync(10)
    state.failWrite = true
    writer.push('second')
    await vi.advanceTimersByTimeAsync(10)
    expect(state.text).toBe('first\nsec')
    expect(writer.failure).toEqual(unavailable)
    expect(writer.failure?.message).not.toContain('CANARY')
    writer.push('third')
    state.failWrite = false
    await vi.advanceTimersByTimeAsync(1000)
    expect(state.text).toBe('first\nsecond\nthird\n')
    expect(writer.failure).toBeUndefined()
  })

  test('tries again when it is asked to flush', async () => {
    const { state, writer } = setUp()
    state.failWrite = true
    writer.push('a')
    await vi.advanceTimersByTimeAsync(10)
    state.failWrite = false
    const flushed = writer.durable()
    await vi.advanceTimersByTimeAsync(1)
    await flushed
    expect(state.text).toBe('a\n')
  })

  test('never tries again once someone else touched the file', async () => {
    const { state, writer } = setUp()
    state.foreign = true
    writer.push('a')
    await vi.advanceTimersByTimeAsync(10)
    state.foreign = false
    await vi.advanceTimersByTimeAsync(60_000)
    await expect(writer.durable()).rejects.toEqual(unavailable)
    expect(state.text).toBe('')
  })
})
