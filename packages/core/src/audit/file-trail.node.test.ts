import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Jwk } from '../identity/identity.ts'
import type { AuditEvent, EventType } from './event.ts'
import { fileTrail } from './file-trail.node.ts'
import { readTrail } from './read-trail.node.ts'
import { verifyTrail } from './verify-trail.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hallpass-trail-'))
  path = join(folder, 'audit.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const eventOf = (n: number, type: EventType = 'use.started', more: Partial<AuditEvent> = {}): AuditEvent => ({
  id: `ev_${n}`,
  type,
  time: 1750000000 + n,
  source: 'broker:https://b.example',
  ...more,
})
const code = (wanted: string) => expect.objectContaining({ code: wanted })

/** A closed trail of this many events. */
async function written(count: number): Promise<void> {
  const trail = fileTrail({ path })
  for (let n = 1; n <= count; n++) await trail.append(eventOf(n))
  await trail.close()
}
const linesOf = (): string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1)

describe('fileTrail()', () => {
  test('writes a chain that only its owner may read', async () => {
    await written(3)
    expect(await verifyTrail(readTrail(path))).toMatchObject({ ok: true, lines: 3 })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['audit.jsonl'])
  })

  test('goes on with the chain of an existing file', async () => {
    await written(3)
    const trail = fileTrail({ path })
    expect(trail.head.seq).toBe(3)
    expect(trail.tail.map((line) => line.id)).toEqual(['ev_1', 'ev_2', 'ev_3'])
    await trail.append(eventOf(4))
    await trail.close()
    expect(await verifyTrail(readTrail(path))).toMatchObject({ ok: true, lines: 4 })
  })

  test('answers what is asked, on disk or not yet', async () => {
    const trail = fileTrail({ path })
    await trail.append(eventOf(1, 'task.opened', { txn: 'tsk_1' }))
    await trail.append(eventOf(2, 'task.opened', { txn: 'tsk_2' }))
    expect(await trail.events({ txn: 'tsk_2' })).toMatchObject([{ id: 'ev_2', seq: 2 }])
    await trail.close()
    expect(await trail.events()).toHaveLength(2)
  })

  test('with `each`, append resolves when the line is in the file', async () => {
    const trail = fileTrail({ path, durable: 'each' })
    await Promise.all([1, 2, 3].map(async (n) => trail.append(eventOf(n))))
    expect(linesOf()).toHaveLength(3)
    await trail.close()
  })

  test('refuses everything after it was closed', async () => {
    const trail = fileTrail({ path })
    await trail.close()
    await trail.close()
    expect(() => trail.append(eventOf(1, 'task.ended'))).toThrow(code('audit-unavailable'))
  })

  test('refuses when more waits for the disk than may, except aftermath', async () => {
    const trail = fileTrail({ path, maxBufferedEvents: 2 })
    await trail.append(eventOf(1))
    await trail.append(eventOf(2))
    expect(() => trail.append(eventOf(3))).toThrow(code('audit-unavailable'))
    await trail.append(eventOf(4, 'revocation.requested'))
    await trail.flush()
    await trail.append(eventOf(5))
    await trail.close()
    expect(await verifyTrail(readTrail(path))).toMatchObject({ ok: true, lines: 4 })
  })

  test.each([
    ['no path', { path: '' }, 'configuration-invalid'],
    ['another durability', { durable: 'sometimes' as 'each' }, 'configuration-invalid'],
    ['room for nothing', { maxBufferedEvents: 0 }, 'configuration-invalid'],
    ['a device', { path: '/dev/null' }, 'configuration-invalid'],
  ])('refuses %s', (_name, change, wanted) => {
    const at = { path, ...change }
    // The lock of a device would need its folder.
    const open = () => fileTrail(at.path === '/dev/null' ? { ...at, path: linkTo('/dev/null') } : at)
    expect(open).toThrow(code(wanted))
    expect(readdirSync(folder).filter((name) => name.includes('lock'))).toEqual([])
  })
})

describe('fileTrail() on a file that is not as it left it', () => {
  test('finishes what a crash tore, wherever it tore, and says so', async () => {
    await written(3)
    const whole = readFileSync(path)
    const last = whole.lastIndexOf(10, whole.length - 2) + 1
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: last + 1, max: whole.length - 1 }), async (cut) => {
        writeFileSync(path, whole.subarray(0, cut))
        const trail = fileTrail({ path })
        await trail.append(eventOf(9))
        await trail.close()
        expect(await verifyTrail(readTrail(path))).toMatchObject({ ok: true, lines: 4 })
        expect(await trail.events({ type: 'trail.recovered' })).toMatchObject([{ seq: 3, data: { bytes: cut - last } }])
      }),
      { numRuns: 25 },
    )
  })

  test('leaves a trace even when it crashes while it recovers', async () => {
    await written(3)
    truncateSync(path, statSync(path).size - 20)
    await fileTrail({ path }).close()
    const recovered = readFileSync(path)
    // The recovering line was written over the torn one, and the crash came before the rest was cut.
    writeFileSync(path, Buffer.concat([recovered, Buffer.from('rest of a longer torn line')]))
    const trail = fileTrail({ path })
    expect(await trail.events({ type: 'trail.recovered' })).toHaveLength(2)
    await trail.close()
  })

  const edit = (change: (lines: string[]) => string[]) => () => writeFileSync(path, `${change(linesOf()).join('\n')}\n`)
  test.each([
    ['was edited', edit((lines) => lines.with(1, (lines.at(1) ?? '').replace('ev_2', 'ev_9')))],
    ['lost a line', edit((lines) => lines.toSpliced(1, 1))],
    ['lost its first line', edit((lines) => lines.slice(1))],
    ['had lines exchanged', edit(([a, b, c]) => [a, c, b] as string[])],
    ['got a line of its own twice', edit((lines) => [...lines, lines.at(2) ?? ''])],
    ['got an empty line', edit((lines) => [...lines, ''])],
    ['got other text', edit((lines) => [...lines, 'hello'])],
    ['got zeros from a power cut', edit((lines) => [...lines, '\0'.repeat(100)])],
  ])('refuses to go on when it %s', async (_name, tamper) => {
    await written(3)
    tamper()
    const before = readFileSync(path)
    expect(() => fileTrail({ path })).toThrow(code('trail-invalid'))
    expect(readFileSync(path)).toEqual(before)
    expect(readdirSync(folder)).toEqual(['audit.jsonl'])
  })

  test.each([
    ['someone else writes to it', () => appendFileSync(path, 'x\n')],
    ['someone cuts it', () => truncateSync(path, 10)],
    ['someone moves it', () => renameSync(path, `${path}.1`)],
    ['someone deletes it', () => rmSync(path)],
    ['someone takes its lock', () => rmSync(`${path}.lock`)],
  ])('refuses from the moment that %s', async (_name, meddle) => {
    const trail = fileTrail({ path })
    await trail.append(eventOf(1))
    await trail.flush()
    meddle()
    await trail.append(eventOf(2))
    await expect(trail.flush()).rejects.toEqual(code('audit-unavailable'))
    expect(() => trail.append(eventOf(3))).toThrow(code('audit-unavailable'))
    await trail.append(eventOf(4, 'revocation.requested'))
    await expect(trail.close()).rejects.toEqual(code('audit-unavailable'))
  })
})

describe('fileTrail() with two writers', () => {
  test('refuses the second in one process', async () => {
    const trail = fileTrail({ path })
    expect(() => fileTrail({ path })).toThrow(code('audit-unavailable'))
    await trail.close()
    await fileTrail({ path }).close()
  })

  const holder = { pid: process.pid, started: '', host: hostname(), nonce: 'n' }
  test.each([
    ['a process that lives', holder],
    ['a process of another machine', { ...holder, pid: 2 ** 22 + 1, host: 'elsewhere' }],
    ['nobody it can read', 'garbage'],
  ])('respects the lock of %s', (_name, content) => {
    writeFileSync(`${path}.lock`, JSON.stringify(content))
    expect(() => fileTrail({ path })).toThrow(code('audit-unavailable'))
    expect(readdirSync(folder)).toEqual(['audit.jsonl.lock'])
  })

  test.each([
    ['is gone', { ...holder, pid: 2 ** 22 + 1 }],
    ['left its number to another', { ...holder, started: '1' }],
  ])('takes the lock of a process that %s', async (_name, content) => {
    writeFileSync(`${path}.lock`, JSON.stringify(content))
    await fileTrail({ path }).close()
    expect(readdirSync(folder)).toEqual(['audit.jsonl'])
  })
})

describe('fileTrail() with checkpoints', () => {
  // Through its encoding: exporting a key object that generateKeyPairSync returned can wait for itself for ever on Node 20.
  const encoded = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const privateKey = createPrivateKey(encoded.privateKey)
  const publicKey = createPublicKey(privateKey)
  const signer = {
    kid: 'k1',
    alg: 'ES256',
    sign: (data: Uint8Array) => sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  } as const
  const keys = { keys: [{ ...(publicKey.export({ format: 'jwk' }) as Jwk), kid: 'k1' }] }

  test('signs as it goes and once more when it closes', async () => {
    const trail = fileTrail({ path, checkpoint: { signer, everyEvents: 5 } })
    for (let n = 1; n <= 12; n++) {
      await trail.append(eventOf(n))
      await trail.flush()
    }
    await trail.close()
    expect(await verifyTrail(readTrail(path), { keys })).toMatchObject({ ok: true, lines: 15, uncovered: 1 })
  })
})

describe('readTrail()', () => {
  test('splits at line feeds and nowhere else', async () => {
    const trail = fileTrail({ path })
    await trail.append(eventOf(1, 'use.started', { note: 'a\u2028b\rc\u0085d' }))
    await trail.append(eventOf(2))
    await trail.close()
    expect(await verifyTrail(readTrail(path))).toMatchObject({ ok: true, lines: 2 })
  })

  test.each([
    ['a file that is not there', undefined],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x0a])],
    ['a line without end', Buffer.alloc(300_000, 'x')],
  ])('refuses %s', async (_name, bytes) => {
    for (const content of bytes ? [bytes] : []) writeFileSync(path, content)
    await expect(verifyTrail(readTrail(path))).rejects.toEqual(code('trail-invalid'))
  })
})

function linkTo(target: string): string {
  const link = join(folder, 'link')
  symlinkSync(target, link)
  return link
}
