import { describe, expect, test } from 'vitest'
import type { AuditEvent } from './event.ts'
import { memoryTrail } from './memory-trail.ts'
import type { RedactableMember } from './redact-events.ts'
import { redactEvents } from './redact-events.ts'

const key = new Uint8Array(32).fill(7)
const event: AuditEvent = {
  id: 'ev_1',
  type: 'use.started',
  time: 1,
  source: 'verifier:https://a.example',
  client_id: 'support-bot',
  sub: 'canary-user',
  note: 'canary-note',
  resource: 'order:canary',
  data: { deep: 'canary-data' },
}

describe('redactEvents()', () => {
  test('leaves nothing of what is dropped or digested in the trail, and the rest as it was', async () => {
    const trail = redactEvents(memoryTrail(), { drop: ['note'], digest: ['sub', 'resource', 'data'], key })
    void trail.append(event)
    const [line] = await trail.events()
    expect(trail.lines().join()).not.toContain('canary')
    expect(line).toMatchObject({ id: 'ev_1', client_id: 'support-bot', seq: 1 })
    expect(line?.sub).toMatch(/^hmac-sha-256:/)
    expect(line).not.toHaveProperty('note')
  })

  test('gives equal values equal digests, and only under one key', async () => {
    const subOf = async (sub: string, own: Uint8Array) => {
      const trail = redactEvents(memoryTrail(), { digest: ['sub'], key: own })
      void trail.append({ ...event, sub })
      return (await trail.events())[0]?.sub
    }
    const other = new Uint8Array(32).fill(8)
    const [a, again, b, c] = [
      await subOf('u', key),
      await subOf('u', key),
      await subOf('v', key),
      await subOf('u', other),
    ]
    expect([a === again, a === b, a === c]).toEqual([true, false, false])
  })

  test('adds no member that an event does not have', async () => {
    const trail = redactEvents(memoryTrail(), { digest: ['facts', 'sub'], key })
    const { sub: _sub, ...without } = event
    void trail.append(without)
    expect((await trail.events())[0]).not.toHaveProperty('facts')
  })

  test.each<[string, Parameters<typeof redactEvents>[1]]>([
    ['what a trail needs', { drop: ['client_id' as RedactableMember] }],
    ['an inherited word', { digest: ['constructor' as RedactableMember], key }],
    ['a member twice', { drop: ['note'], digest: ['note'], key }],
    ['digests without a key', { digest: ['note'] }],
    ['a short key', { digest: ['note'], key: new Uint8Array(16) }],
  ])('takes no options with %s', (_name, options) => {
    expect(() => redactEvents(memoryTrail(), options)).toThrow(
      expect.objectContaining({ code: 'configuration-invalid' }),
    )
  })
})
