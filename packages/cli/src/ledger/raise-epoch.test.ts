import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Project } from '../../test/hallpass.ts'
import { hallpassHere, initProject } from '../../test/hallpass.ts'
import { loadConfig } from '../config/load-config.ts'
import { openLedger } from '../serve/open-ledger.ts'

/** The life that the ledger of this project is in; opening it makes the file. */
async function incarnationOf({ cwd }: Project): Promise<string> {
  const { ledger, close } = await openLedger(await loadConfig(join(cwd, 'hallpass.config.ts')))
  const { incarnation } = ledger
  await close()
  return incarnation
}

const withLedger = async (ledger: string): Promise<Project> => {
  const project = await initProject()
  project.change("ledger: 'memory'", `ledger: ${ledger}`)
  return project
}

describe('hallpass ledger raise-epoch', () => {
  test('begins a new life of the file, and only when it is told to', async () => {
    const project = await withLedger("'sqlite:a.db'")
    const before = await incarnationOf(project)
    const asked = await hallpassHere(['ledger', 'raise-epoch'], project)
    expect(asked).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing was done') })
    expect(await incarnationOf(project)).toBe(before)
    const { code, stdout } = await hallpassHere(['ledger', 'raise-epoch', '--yes', '--json'], project)
    expect({ code, ...JSON.parse(stdout) }).toEqual({ code: 0, ok: true, done: true, ledger: 'SQLite a.db' })
    expect(await incarnationOf(project)).not.toBe(before)
  })

  test.each([
    ['a file that is not there', "'sqlite:gone.db'", 'restore it first'],
    ['memory', "'memory'", 'a restart begins a new life'],
    ['Redis', "'redis://me:s3cret@cache'", 'epoch: 1 }'],
    ['Redis that was raised before', "{ redis: 'redis://me:s3cret@cache', epoch: 4 }", 'epoch: 5 }'],
    ['a ledger of its own', '() => { throw new Error() }', 'where it is built'],
    ['a Postgres that is not there', "'postgres://me:s3cret@127.0.0.1:1/x'", 'did not answer'],
  ])('says what to do with %s, and no password', async (_name, ledger, words) => {
    const project = await withLedger(ledger)
    const { code, stdout, stderr } = await hallpassHere(['ledger', 'raise-epoch', '--yes'], project)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(words)
    expect(stderr).not.toContain('s3cret')
  })
})
