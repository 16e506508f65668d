import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import type { AuditEvent, CheckpointSigner, Jwk } from '@hallpass/core'
import { verifyTrail } from '@hallpass/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { drivers, openHandle } from '../../test/drivers.ts'
import type { OpenHandle } from '../../test/drivers.ts'
import { temporaryFile } from '../../test/temporary-file.ts'
import { sqliteTrail } from './sqlite-trail.ts'

const eventOf = (n: number, change: Partial<AuditEvent> = {}): AuditEvent => ({
  id: `ev_${String(n).padStart(8, '0')}`,
  type: 'use.started',
  time: 1_750_000_000 + n,
  source: 'broker:https://b.example',
  txn: `tsk_${n % 3}`,
  ...change,
})
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)
function opened(path = temporaryFile(), open: (path: string) => OpenHandle = openHandle) {
  const database = open(path)
  onTestFinished(() => database.close())
  return { database, path, trail: sqliteTrail({ database }) }
}
const unavailable = expect.objectContaining({ code: 'audit-unavailable' }) as Error

function checkpointKey(): { signer: CheckpointSigner; jwk: Jwk } {
  // Through its encoding: on Node 20 a key object fresh from the generator can hang when it is exported.
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  })
  const key = createPrivateKey({ key: privateKey, type: 'pkcs8', format: 'der' })
  const jwk = { ...createPublicKey(key).export({ format: 'jwk' }), kid: 'k1' } as Jwk
  return {
    jwk,
    signer: { kid: 'k1', alg: 'ES256', sign: (data) => sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }) },
  }
}

describe.each(await drivers())('sqliteTrail() with %s', (_name, open) => {
  test('keeps a chain that verifies, over a restart', async () => {
    const path = temporaryFile()
    const first = opened(path, open)
    await Promise.all(range(1, 700).map(async (n) => first.trail.append(eventOf(n))))
    await first.trail.close()
    const second = opened(path, open)
    await second.trail.append(eventOf(701))
    expect(second.trail.tail.length).toBe(700)
    expect(await verifyTrail(second.trail.lines())).toMatchObject({ ok: true, lines: 701, head: second.trail.head })
    expect((await second.trail.events({ txn: 'tsk_1', id: 'ev_00000001' })).map(({ seq }) => seq)).toEqual([1])
  })
})

describe('sqliteTrail()', () => {
  test('carries one chain through two connections that append at once', async () => {
    const first = opened()
    const second = opened(first.path)
    await Promise.all(range(1, 400).map(async (n) => (n % 2 === 0 ? first : second).trail.append(eventOf(n))))
    expect(await verifyTrail(first.trail.lines())).toMatchObject({ ok: true, lines: 400 })
  })

  test('records an event once, whichever connection brings it again', async () => {
    const first = opened()
    const second = opened(first.path)
    await Promise.all([first.trail.append(eventOf(1)), first.trail.append(eventOf(1)), second.trail.append(eventOf(1))])
    await second.trail.append(eventOf(1, { source: 'another' }))
    expect((await first.trail.events()).map(({ source }) => source)).toEqual(['broker:https://b.example', 'another'])
  })

  test('lets no statement change or take away a line', async () => {
    const { database, trail } = opened()
    await trail.append(eventOf(1))
    expect(() => database.exec("UPDATE hallpass_trail SET line = 'x'")).toThrow('only appended')
    expect(() => database.exec('DELETE FROM hallpass_trail')).toThrow('only appended')
  })

  test('shows who took the triggers away and changed a line', async () => {
    const { database, trail } = opened()
    await Promise.all(range(1, 5).map(async (n) => trail.append(eventOf(n))))
    database.exec('DROP TRIGGER hallpass_trail_no_update')
    database.exec("UPDATE hallpass_trail SET line = replace(line, 'tsk_2', 'tsk_0') WHERE seq = 2")
    expect(await verifyTrail(trail.lines())).toMatchObject({ ok: false, line: 2, problem: 'altered' })
  })

  test('refuses one event that no line can hold, and none beside it', async () => {
    const { trail } = opened()
    const long = trail.append(eventOf(2, { note: 'x'.repeat(70_000) }))
    const good = trail.append(eventOf(3))
    await expect(long).rejects.toThrow(unavailable)
    await good
    expect(await verifyTrail(trail.lines())).toMatchObject({ ok: true, lines: 1 })
  })

  test('refuses while another process keeps the file, and takes events when it has let go', async () => {
    const { database, path } = opened()
    const other = openHandle(path)
    const trail = sqliteTrail({ database, busyMs: 20 })
    other.exec('BEGIN IMMEDIATE')
    await expect(trail.append(eventOf(1))).rejects.toThrow(unavailable)
    other.exec('ROLLBACK')
    other.close()
    await trail.append(eventOf(2))
    expect((await trail.events()).map(({ id }) => id)).toEqual(['ev_00000002'])
  })

  test('refuses when it is closed or too much waits', async () => {
    const { database } = opened()
    const trail = sqliteTrail({ database, maxWaiting: 1 })
    const first = trail.append(eventOf(1))
    await expect(trail.append(eventOf(2))).rejects.toThrow(unavailable)
    await first
    await trail.close()
    await expect(trail.append(eventOf(3))).rejects.toThrow(unavailable)
  })

  test('signs checkpoints that vouch for every line before them', async () => {
    const { database } = opened()
    const { jwk, signer } = checkpointKey()
    const trail = sqliteTrail({ database, checkpoint: { signer, everyEvents: 100 } })
    for (const n of range(1, 10)) await trail.append(eventOf(n))
    await trail.close()
    expect(await verifyTrail(trail.lines(), { keys: { keys: [jwk] } })).toMatchObject({
      ok: true,
      lines: 11,
      checkpoints: { signed: 1, last: { seq: 10 } },
    })
  })

  test('takes no database in memory, and nothing that is none', () => {
    const memory = openHandle(':memory:')
    onTestFinished(() => memory.close())
    const invalid = expect.objectContaining({ code: 'configuration-invalid' }) as Error
    expect(() => sqliteTrail({ database: memory })).toThrow(invalid)
    expect(() => sqliteTrail({ database: undefined as never })).toThrow(invalid)
  })
})
