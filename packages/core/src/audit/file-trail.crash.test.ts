import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fileTrail } from './file-trail.node.ts'
import { readTrail } from './read-trail.node.ts'
import { verifyTrail } from './verify-trail.ts'

// Real processes that run the built package: they are killed, refused and starved of disk.
const packageFolder = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hallpass-crash-'))
  path = join(folder, 'audit.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const prelude = `
  import { fileTrail } from '@hallpass/core/file-trail'
  const [path] = process.argv.slice(1)
  const say = (text) => process.stdout.write(text + '\\n')
  const eventOf = (n, type = 'use.started') => ({ id: 'ev_' + n, type, time: n, source: 'x', note: 'n'.repeat(n % 700) })
`
const writeForever = `${prelude}
  const trail = fileTrail({ path, durable: 'each' })
  for (let n = 1; ; n += 8) {
    const ids = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => n + i)
    await Promise.all(ids.map((id) => trail.append(eventOf(id))))
    for (const id of ids) say('ev_' + id)
  }
`
const openOnly = `${prelude}
  try { fileTrail({ path }); say('opened') } catch (error) { say(error.code) }
  process.exit()
`
const fillDisk = `${prelude}
  const trail = fileTrail({ path, durable: 'each' })
  let recorded = 0
  try { for (;;) { await trail.append(eventOf(++recorded)); } } catch (error) { say('append ' + error.code) }
  try { trail.append(eventOf(0)); say('allowed') } catch (error) { say('again ' + error.code) }
  try { await trail.append(eventOf(9999, 'revocation.requested')); say('revocation spooled') } catch { say('revocation refused') }
  await trail.flush().catch((error) => say('flush ' + error.code))
  say('recorded ' + (recorded - 1))
  process.exit()
`

function start(code: string, launcher: readonly string[] = []) {
  const [command, ...args] = [...launcher, process.execPath, '--input-type=module', '-e', code, path]
  const child = spawn(command, args, { cwd: packageFolder, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return {
    /** Whole lines said so far. */
    said: () => output.split('\n').slice(0, -1),
    /** Resolves after the child has said so many lines, or has ended. */
    async until(lines: number) {
      const heard = () => new Promise((resolve) => child.stdout.once('data', resolve))
      while (output.split('\n').length <= lines && child.exitCode === null) await Promise.race([heard(), closed])
    },
    kill: () => child.kill('SIGKILL'),
    closed,
  }
}

describe('fileTrail() in a process that is killed', () => {
  test.each([1, 50, 333])('has every event that was acknowledged, after %i', async (lines) => {
    const child = start(writeForever)
    await child.until(lines)
    child.kill()
    await child.closed
    const trail = fileTrail({ path })
    await trail.append({ id: 'ev_after', type: 'broker.started', time: 1, source: 'x' })
    await trail.close()
    expect(await verifyTrail(readTrail(path))).toMatchObject({ ok: true })
    const ids = new Set((await trail.events()).map((line) => line.id))
    expect(child.said().filter((id) => !ids.has(id))).toEqual([])
    expect(ids).toContain('ev_after')
  })
})

describe('fileTrail() in two processes', () => {
  test('refuses the second while the first lives, and not after', async () => {
    const first = start(writeForever)
    await first.until(1)
    const second = start(openOnly)
    await second.closed
    expect(second.said()).toEqual(['audit-unavailable'])
    expect(() => fileTrail({ path })).toThrow(expect.objectContaining({ code: 'audit-unavailable' }))
    first.kill()
    await first.closed
    const third = start(openOnly)
    await third.closed
    expect(third.said()).toEqual(['opened'])
  })
})

describe('fileTrail() on a full disk', () => {
  test('refuses from then on, spools revocations, and leaves a trail that goes on', async () => {
    // The shell limits the size of files; ignoring the signal turns the limit into an error, as a full disk is.
    const child = start(fillDisk, ['/bin/sh', '-c', 'trap "" XFSZ; ulimit -f 40; exec "$@"', 'sh'])
    await child.closed
    const said = child.said()
    expect(said.slice(0, 4)).toEqual([
      'append audit-unavailable',
      'again audit-unavailable',
      'revocation spooled',
      'flush audit-unavailable',
    ])
    const recorded = Number(said[4]?.replace('recorded ', ''))
    const trail = fileTrail({ path })
    await trail.close()
    expect(await verifyTrail(readTrail(path))).toMatchObject({ ok: true })
    const ids = readFileSync(path, 'utf8').match(/"id":"ev_\d+"/g)
    expect(ids?.length).toBe(recorded)
    expect(recorded).toBeGreaterThan(5)
  })
})
