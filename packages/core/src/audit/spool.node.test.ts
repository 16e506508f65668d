import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AuditEvent } from './event.ts'
import type { Spool, SpoolOptions } from './spool.node.ts'
import { openSpool } from './spool.node.ts'

let path: string
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'hallpass-spool-'))
})
afterEach(() => rmSync(path, { recursive: true, force: true }))

const eventOf = (n: number, change: Partial<AuditEvent> = {}): AuditEvent => ({
  id: `ev_${String(n).padStart(8, '0')}`,
  type: 'use.started',
  time: 1_750_000_000 + n,
  source: 'verifier:https://a.example#1',
  ...change,
})
const open = (options: Partial<SpoolOptions> = {}) => openSpool({ path, segmentBytes: 1024, ...options })
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)
async function fill(spool: Spool, from: number, to: number): Promise<void> {
  for (const n of numbers(from, to)) await spool.append(eventOf(n))
}
async function drain(spool: Spool, lines = 7): Promise<number[]> {
  const seen: number[] = []
  for (
    let page = await spool.next({ lines, chars: 1e6 });
    page.length > 0;
    page = await spool.next({ lines, chars: 1e6 })
  ) {
    seen.push(...page.map(({ seq }) => seq))
    await spool.acknowledge()
  }
  return seen
}
const files = () => readdirSync(path).filter((name) => name.endsWith('.jsonl'))

describe('openSpool()', () => {
  test('gives lines in order over many files, and deletes the files that are acknowledged', async () => {
    const spool = open()
    await fill(spool, 1, 50)
    expect(files().length).toBeGreaterThan(5)
    expect(await drain(spool)).toEqual(numbers(1, 50))
    expect(files()).toHaveLength(1)
    expect(spool.state()).toMatchObject({ waiting: 0, full: false, damaged: 0 })
    await spool.close()
  })

  test('gives the same lines again until they are acknowledged', async () => {
    const spool = open()
    await fill(spool, 1, 5)
    const first = await spool.next({ lines: 3, chars: 1e6 })
    expect(await spool.next({ lines: 3, chars: 1e6 })).toEqual(first)
    await spool.acknowledge()
    expect((await spool.next({ lines: 3, chars: 1e6 })).map(({ seq }) => seq)).toEqual([4, 5])
    await spool.close()
  })

  test.each([0, 1, 6, 7, 20, 49, 50])(
    'goes on with its chain and its cursor after a restart, %i acknowledged',
    async (done) => {
      const first = open()
      await fill(first, 1, 50)
      for (let n = 0; n < done; n++) {
        await first.next({ lines: 1, chars: 1e6 })
        await first.acknowledge()
      }
      await first.close()
      const second = open()
      expect(second.chain).toBe(first.chain)
      await fill(second, 51, 60)
      expect(await drain(second)).toEqual(numbers(done + 1, 60))
      await second.close()
      const third = open()
      await third.append(eventOf(61))
      expect(await drain(third)).toEqual([61])
      await third.close()
    },
  )

  test('keeps order where nobody waits for the disk, across files', async () => {
    const spool = open({ durable: 'grouped' })
    for (const n of numbers(1, 200)) void spool.append(eventOf(n))
    await spool.flush()
    expect(await drain(spool, 11)).toEqual(numbers(1, 200))
    await spool.close()
  })

  test('refuses when it is full, keeps room for what has happened, and takes events again when some are delivered', async () => {
    const spool = open({ maxBytes: 2048 })
    const full = expect.objectContaining({ code: 'audit-unavailable' })
    const writeUntilFull = async (type: AuditEvent['type']) => {
      for (let n = 1; ; n++) {
        try {
          await spool.append(eventOf(n, { type }))
        } catch (error) {
          return { n, error }
        }
      }
    }
    const refused = await writeUntilFull('use.started')
    expect(refused.error).toEqual(full)
    await spool.append(eventOf(1, { type: 'use.ended' }))
    expect(spool.state().full).toBe(true)
    expect((await writeUntilFull('use.ended')).error).toEqual(full)
    await drain(spool)
    await spool.append(eventOf(2))
    await spool.close()
  })

  test('cuts a line that a crash tore, and goes on', async () => {
    const first = open()
    await fill(first, 1, 3)
    await first.close()
    const newest = join(path, files().at(-1) ?? '')
    writeFileSync(newest, '{"seq":4,"prev":"torn', { flag: 'a' })
    const second = open()
    await second.append(eventOf(4))
    expect(await drain(second)).toEqual([1, 2, 3, 4])
    await second.close()
  })

  test.each([
    ['one file', { '0000000000000006': '' }, 0],
    ['several files', { '0000000000000006': '', '0000000000000009': '' }, 0],
    ['one file, and tore the line before it', { '0000000000000006': '' }, 20],
    ['one file whose only line is torn', { '0000000000000006': '{"seq":6,' }, 0],
  ])('goes on where it ended when a crash had begun %s ahead of the lines', async (_name, ahead, torn) => {
    const first = open({ segmentBytes: 1024 * 1024 })
    await fill(first, 1, 4)
    await first.close()
    const [file = ''] = files()
    const text = readFileSync(join(path, file), 'utf8')
    writeFileSync(join(path, file), text.slice(0, text.length - torn))
    for (const [name, rest] of Object.entries(ahead)) writeFileSync(join(path, `${name}.jsonl`), rest)
    const kept = torn === 0 ? 4 : 3
    const second = open()
    await fill(second, kept + 1, 20)
    expect(await drain(second)).toEqual(numbers(1, 20))
    expect(second.state().damaged).toBe(0)
    await second.close()
  })

  test('passes over an altered line, keeps its file, and says so', async () => {
    const first = open()
    await fill(first, 1, 30)
    await first.close()
    const oldest = join(path, files()[0] ?? '')
    writeFileSync(oldest, readFileSync(oldest, 'utf8').replace('ev_00000002', 'ev_0000000X'))
    const second = open()
    expect(await drain(second)).toEqual([1, ...numbers(3, 30)])
    expect(second.state().damaged).toBe(1)
    expect(readdirSync(path).filter((name) => name.endsWith('.damaged'))).toHaveLength(1)
    await second.close()
  })

  test.each<[string, () => void]>([
    ['no cursor', () => rmSync(join(path, 'cursor.json'))],
    ['a damaged cursor', () => writeFileSync(join(path, 'cursor.json'), '{"chain":1}')],
    [
      'a cursor beyond its end, as after restoring the files of yesterday',
      () => {
        const text = readFileSync(join(path, 'cursor.json'), 'utf8')
        writeFileSync(join(path, 'cursor.json'), text.replace('"seq":0', '"seq":900'))
      },
    ],
    ['an altered end', () => writeFileSync(join(path, files().at(-1) ?? ''), '{"seq":1}\n')],
  ])('does not open with %s', async (_name, spoil) => {
    const first = open()
    await fill(first, 1, 20)
    await first.close()
    spoil()
    expect(() => open()).toThrow(expect.objectContaining({ code: 'trail-invalid' }))
  })

  test('belongs to one process at a time', async () => {
    const first = open()
    expect(() => open()).toThrow(expect.objectContaining({ code: 'audit-unavailable' }))
    await first.close()
    await open().close()
  })

  test.each([
    ['no path', { path: '' }],
    ['less room than a file', { maxBytes: 100 }],
    ['a file of no bytes', { segmentBytes: 0 }],
    ['another durability', { durable: 'sometimes' as 'each' }],
  ])('takes no options with %s', (_name, wrong) => {
    expect(() => open(wrong)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })
})
