import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createChain } from './chain.ts'
import type { CheckpointSigner } from './checkpoint.ts'
import type { CheckpointOptions } from './checkpointer.ts'
import { createCheckpointer } from './checkpointer.ts'
import type { AuditEvent } from './event.ts'

const good: CheckpointSigner = { kid: 'k1', alg: 'ES256', sign: () => new Uint8Array(64).fill(1) }
const refusing: CheckpointSigner = { ...good, sign: () => Promise.reject(new Error('CANARY pin 1234')) }
const silent: CheckpointSigner = { ...good, sign: () => new Promise(() => {}) }

function setUp(signer: CheckpointSigner, everyEvents = 2, publish?: CheckpointOptions['publish']) {
  const chain = createChain()
  const events: AuditEvent[] = []
  const published: string[] = []
  const append = (event: AuditEvent): void => {
    events.push(event)
    chain.next(event)
  }
  const trail = { source: 'trail:t', now: () => 1750000000, head: () => chain.head, append }
  const keep = (jws: string): void => void published.push(jws)
  const checkpointer = createCheckpointer({ signer, everyEvents, publish: publish ?? keep }, trail)
  const record = (n: number): void => {
    append({ id: `ev_${n}`, type: 'use.started', time: 1, source: 'x' })
    checkpointer.appended()
  }
  const checkpoints = () => events.filter((event) => event.type === 'trail.checkpoint')
  return { checkpointer, record, checkpoints, published }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('createCheckpointer()', () => {
  test('signs after so many events, and hands the checkpoint out', async () => {
    const { checkpointer, record, checkpoints, published } = setUp(good)
    record(1)
    await checkpointer.sign()
    record(2)
    await vi.advanceTimersByTimeAsync(0)
    expect(checkpoints()).toHaveLength(1)
    record(3)
    await vi.advanceTimersByTimeAsync(0)
    expect(checkpoints()).toHaveLength(2)
    expect(published).toEqual(checkpoints().map((event) => (event.data as { jws: string }).jws))
    const payload = JSON.parse(Buffer.from(published[1]?.split('.')[1] ?? '', 'base64url').toString()) as object
    expect(payload).toMatchObject({ seq: 4, time: 1750000000, source: 'trail:t' })
  })

  test('signs after so many seconds, but not twice the same head', async () => {
    const { record, checkpoints } = setUp(good, 100)
    await vi.advanceTimersByTimeAsync(61_000)
    expect(checkpoints()).toHaveLength(0)
    record(1)
    await vi.advanceTimersByTimeAsync(61_000)
    await vi.advanceTimersByTimeAsync(61_000)
    expect(checkpoints()).toHaveLength(1)
  })

  test('says in the trail that the signer failed, without its words, and tries again', async () => {
    const { record, checkpoints } = setUp(refusing, 1)
    record(1)
    await vi.advanceTimersByTimeAsync(0)
    expect(checkpoints()).toMatchObject([{ reason: 'key-unavailable' }])
    expect(JSON.stringify(checkpoints())).not.toContain('CANARY')
    await vi.advanceTimersByTimeAsync(61_000)
    expect(checkpoints()).toHaveLength(2)
  })

  test('does not wait for a signer that says nothing', async () => {
    const { record, checkpoints } = setUp(silent, 1)
    record(1)
    await vi.advanceTimersByTimeAsync(11_000)
    expect(checkpoints()).toMatchObject([{ reason: 'key-unavailable' }])
  })

  test.each<[string, () => void | Promise<void>]>([
    [
      'throws',
      () => {
        throw new Error('disk')
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk'))],
    ['never ends', () => new Promise(() => {})],
  ])('hands a checkpoint out again, signed once, where publish %s', async (_name, fail) => {
    const offered: string[] = []
    const { record, checkpoints } = setUp(good, 1, (jws) => (offered.push(jws) === 1 ? fail() : undefined))
    record(1)
    await vi.advanceTimersByTimeAsync(61_000)
    await vi.advanceTimersByTimeAsync(61_000)
    const signed = checkpoints().map((event) => (event.data as { jws: string }).jws)
    expect([signed.length, offered]).toEqual([1, [...signed, ...signed]])
  })

  test('hands out the newest checkpoint alone where the one before it was not published', async () => {
    const offered: string[] = []
    const { record, checkpoints } = setUp(good, 1, (jws) =>
      offered.push(jws) === 1 ? Promise.reject(new Error('disk')) : undefined,
    )
    record(1)
    await vi.advanceTimersByTimeAsync(0)
    record(2)
    await vi.advanceTimersByTimeAsync(61_000)
    expect(offered).toEqual(checkpoints().map((event) => (event.data as { jws: string }).jws))
  })

  test.each([
    { everyEvents: 0 },
    { everyEvents: 1.5 },
    { everySeconds: 0 },
    { everySeconds: 1e9 }, // would overflow the timer and fire at once
  ])('refuses %j', (options) => {
    const trail = { source: 't', now: () => 1, head: () => ({ seq: 0, hash: '' }), append: () => {} }
    expect(() => createCheckpointer({ signer: good, ...options }, trail)).toThrow(
      expect.objectContaining({ code: 'configuration-invalid' }),
    )
  })
})
