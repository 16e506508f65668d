import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { memoryLedger } from '@hallpass/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../test/hallpass.ts'
import type { HallpassConfig } from '../config/define-config.ts'
import { clientLibrary } from './client-library.ts'
import { openLedger, withoutCredentials } from './open-ledger.ts'

type Ledger = HallpassConfig['ledger']

function open(ledger: Ledger, directory = temporaryDirectory()) {
  const config = (ledger === undefined ? {} : { ledger }) as HallpassConfig
  return openLedger({ config, directory, file: join(directory, 'hallpass.config.ts') })
}

describe('openLedger()', () => {
  test('openLedger() opens a file beside the configuration unless it is told otherwise', async () => {
    const { ledger, place, close } = await open(undefined)
    expect({ exactFor: ledger.exactFor, isHere: place.endsWith('hallpass.db') }).toEqual({
      exactFor: 'one-machine',
      isHere: true,
    })
    await close()
  })

  test('openLedger() makes a file that nobody else can read', async () => {
    const directory = temporaryDirectory()
    const before = process.umask(0)
    onTestFinished(() => void process.umask(before))
    const { close } = await open({ sqlite: 'a.db' }, directory)
    const modes = readdirSync(directory).map((name) => [
      name,
      (statSync(join(directory, name)).mode & 0o777).toString(8),
    ])
    await close()
    expect(modes).toEqual(['a.db', 'a.db-shm', 'a.db-wal'].map((name) => [name, '600']))
  })

  test('openLedger() takes memory only by name, and what a function opens', async () => {
    expect((await open('memory')).ledger.exactFor).toBe('one-process')
    const own = memoryLedger({ exactFor: 'one-process' })
    expect((await open(async () => own)).ledger).toBe(own)
  })

  test('openLedger() hands the ledger its options', async () => {
    const { ledger, close } = await open({ sqlite: 'a.db', leaseSeconds: 5 })
    expect(ledger.exactFor).toBe('one-machine')
    await close()
    await expect(open({ sqlite: 'a.db', leaseSeconds: 0 })).rejects.toMatchObject({ code: 'configuration-invalid' })
  })

  const wrong: [name: string, ledger: unknown, words: string][] = [
    ['a place of another kind', 'mysql://me:s3cret@db/x', 'redis:// or postgres://'],
    ['a URL that is none', 'redis://me:s3cret@:::', 'not one'],
    ['a file in a folder that is not there', 'sqlite:no/where.db', 'cannot be opened'],
    [
      'a Redis that is not there',
      { redis: 'redis://me:s3cret@127.0.0.1:1', timeoutMs: 200 },
      'redis://127.0.0.1:1 does not answer',
    ],
    ['a Postgres that is not there', 'postgres://me:s3cret@127.0.0.1:1/x', 'postgres://127.0.0.1:1/x does not answer'],
  ]
  test.each(wrong)('openLedger() says what to do with %s, and no password', async (_name, ledger, words) => {
    const refused: unknown = await open(ledger as Ledger).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(Error)
    expect(String(refused)).toContain(words)
    expect(String((refused as Error).stack)).not.toContain('s3cret')
  })
})

describe('withoutCredentials()', () => {
  test.each([
    ['redis://me:s3cret@cache:6379/0?password=s3cret', 'redis://cache:6379/0'],
    ['postgresql://me:s3cret@db/hallpass?sslmode=require', 'postgresql://db/hallpass'],
    ['rediss://cache:6379', 'rediss://cache:6379'],
  ])('withoutCredentials() shows where, and not who', (url, shown) => {
    expect(withoutCredentials(url)).toBe(shown)
  })
})

describe('clientLibrary()', () => {
  test('clientLibrary() takes the library of the project before its own', async () => {
    const directory = temporaryDirectory()
    const folder = join(directory, 'node_modules', 'ioredis')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{"name":"ioredis","main":"index.cjs"}')
    writeFileSync(join(folder, 'index.cjs'), 'exports.Redis = "theirs"')
    const names = ['not-installed', 'ioredis']
    const { name, exports } = await clientLibrary(join(directory, 'x.ts'), { names, purpose: 'This' })
    expect({ name, redis: exports['Redis'] }).toEqual({ name: 'ioredis', redis: 'theirs' })
  })

  test('clientLibrary() says what to install', async () => {
    const wanted = { names: ['not-installed', 'neither'], purpose: 'A ledger in Redis' }
    await expect(clientLibrary('/nowhere/x.ts', wanted)).rejects.toThrow(
      'A ledger in Redis needs a client library that is not installed: npm install not-installed (or neither)',
    )
  })
})
