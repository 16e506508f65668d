import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { AuditEvent, TrailLine } from './event.ts'
import type * as FileDisk from './file-disk.node.ts'
import { fileTrail } from './file-trail.node.ts'

const state = vi.hoisted(() => ({ isFull: false }))

vi.mock('./file-disk.node.ts', async (original) => {
  const { openDisk } = await original<typeof FileDisk>()
  return {
    openDisk(...args: Parameters<typeof openDisk>) {
      const disk = openDisk(...args)
      const full = Object.assign(new Error('full'), { code: 'ENOSPC' })
      return { ...disk, write: async (bytes: Uint8Array) => (state.isFull ? Promise.reject(full) : disk.write(bytes)) }
    },
  }
})

const folders: string[] = []
afterEach(() => {
  state.isFull = false
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function open() {
  const folder = mkdtempSync(join(tmpdir(), 'hallpass-trail-'))
  folders.push(folder)
  const path = join(folder, 'audit.jsonl')
  const lines = () => readFileSync(path, 'utf8').split('\n').slice(0, -1)
  const ids = () => lines().map((line) => (JSON.parse(line) as TrailLine).id)
  return { trail: fileTrail({ path, durable: 'each' }), ids }
}
const event = (id: string, type: AuditEvent['type'] = 'grant.refused'): AuditEvent => ({
  id,
  type,
  time: 1,
  source: 'broker:x',
})
const unavailable = expect.objectContaining({ code: 'audit-unavailable' })

describe('fileTrail({ durable: each }) on a disk that was full', () => {
  test('records an event once that was refused and is appended again', async () => {
    const { trail, ids } = open()
    state.isFull = true
    await expect(trail.append(event('ev_1'))).rejects.toEqual(unavailable)
    state.isFull = false
    await trail.flush()
    await trail.append(event('ev_1'))
    await trail.append(event('ev_2'))
    await trail.close()
    expect(ids()).toEqual(['ev_1', 'ev_2'])
  })

  test('takes an event that was refused for recorded only once, and only when the disk is back', async () => {
    const { trail, ids } = open()
    state.isFull = true
    await expect(trail.append(event('ev_1'))).rejects.toEqual(unavailable)
    expect(() => trail.append(event('ev_1'))).toThrow(unavailable)
    state.isFull = false
    await trail.flush()
    await trail.append(event('ev_1'))
    await trail.append(event('ev_1'))
    await trail.close()
    expect(ids()).toEqual(['ev_1', 'ev_1'])
  })

  test('keeps aftermath without refusing it, once', async () => {
    const { trail, ids } = open()
    state.isFull = true
    await expect(trail.append(event('ev_1', 'grant.revoked'))).resolves.toBeUndefined()
    state.isFull = false
    await trail.close()
    expect(ids()).toEqual(['ev_1'])
  })
})
