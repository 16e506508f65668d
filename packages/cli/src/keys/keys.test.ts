import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hallpass, hallpassHere, temporaryDirectory } from '../../test/hallpass.ts'
import { readPrivateJwk } from './key-file.ts'
import { OVERLAP_SECONDS, createKeyRing, readKeyRing, rotateKeyRing, trailKeysOf } from './key-ring.ts'
import { signingKeysOf } from './ring-signers.ts'

const modes = (directory: string): number[] =>
  readdirSync(directory).map((name) => statSync(join(directory, name)).mode & 0o777)
const filesWith = (directory: string, text: string): string[] =>
  readdirSync(directory).filter((name) => readFileSync(join(directory, name), 'utf8').includes(text))

describe('hallpass keys', { timeout: 60_000 }, () => {
  test('generate writes what only its owner can read, and shows no private key', async () => {
    const cwd = temporaryDirectory()
    const { code, stdout, stderr } = await hallpass(['keys', 'generate'], { cwd })
    expect(code).toBe(0)
    const directory = join(cwd, 'keys/broker')
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    expect(modes(directory)).toEqual([0o600, 0o600, 0o600])
    expect(filesWith(directory, '"d"')).toHaveLength(2)
    const secrets = readdirSync(directory)
      .filter((name) => name.endsWith('.private.jwk.json'))
      .map((name) => String(readPrivateJwk(join(directory, name))['d']))
    expect(secrets.filter((secret) => `${stdout}${stderr}`.includes(secret))).toEqual([])
  })

  test('generate writes over nothing', async () => {
    const cwd = temporaryDirectory()
    await hallpassHere(['keys', 'generate'], { cwd })
    await hallpassHere(['keys', 'generate', '--workload', 'bot'], { cwd })
    const before = readFileSync(join(cwd, 'keys/broker/ring.json'))
    expect(await hallpassHere(['keys', 'generate'], { cwd })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('keys rotate'),
    })
    expect(await hallpassHere(['keys', 'generate', '--workload', 'bot'], { cwd })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('EEXIST'),
    })
    expect(readFileSync(join(cwd, 'keys/broker/ring.json'))).toEqual(before)
  })

  test('generate --workload prints the public key to register, and no more', async () => {
    const cwd = temporaryDirectory()
    const { stdout } = await hallpassHere(['keys', 'generate', '--workload', 'bot', '--json'], { cwd })
    const { publicJwk, file } = JSON.parse(stdout) as { publicJwk: object; file: string }
    expect(Object.keys(publicJwk).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    expect(file.endsWith('keys/bot.jwk.json')).toBe(true)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test.each([['../escape'], ['a/b'], [''], ['.hidden'], ['x'.repeat(65)]])(
    'generate --workload refuses %j',
    async (name) => {
      const { code } = await hallpassHere(['keys', 'generate', `--workload=${name}`], { cwd: temporaryDirectory() })
      expect(code).toBe(2)
    },
  )

  test('rotate lets the next key sign and lists the old one as retiring', async () => {
    const cwd = temporaryDirectory()
    const made = JSON.parse((await hallpassHere(['keys', 'generate', '--json'], { cwd })).stdout) as {
      current: string
      next: string
    }
    const rotated = JSON.parse((await hallpassHere(['keys', 'rotate', '--json'], { cwd })).stdout) as Record<
      string,
      string
    >
    expect(rotated).toMatchObject({ current: made.next, retired: made.current })
    const { stdout } = await hallpassHere(['keys', 'list'], { cwd })
    expect(stdout.split('\n').map((line) => line.split(/\s+/).slice(0, 2))).toEqual([
      [made.next, 'signs'],
      [rotated['next'], 'next'],
      [made.current, 'retiring'],
      [''],
    ])
  })

  test('list says what to do where there are no keys', async () => {
    const { code, stderr } = await hallpassHere(['keys', 'list'], { cwd: temporaryDirectory() })
    expect(code).toBe(1)
    expect(stderr).toContain('hallpass keys generate --dir')
  })
})

describe('rotateKeyRing()', () => {
  test('deletes the private half of the key that signs no more, and keeps its public half for old trails', () => {
    const directory = join(temporaryDirectory(), 'keys')
    const { current } = createKeyRing(directory)
    rotateKeyRing(directory, 1000)
    rotateKeyRing(directory, 5000)
    expect(existsSync(join(directory, `${current.kid}.private.jwk.json`))).toBe(false)
    expect(trailKeysOf(readKeyRing(directory)).keys.map(({ kid }) => kid)).toContain(current.kid)
    expect(filesWith(directory, '"d"')).toHaveLength(2)
  })

  test('publishes the old key exactly as long as its tokens may live', () => {
    const directory = join(temporaryDirectory(), 'keys')
    const { current } = createKeyRing(directory)
    rotateKeyRing(directory, 1000)
    const publishedAt = (now: number) =>
      signingKeysOf(directory, now)
        .jwks(now)
        .keys.some(({ kid }) => kid === current.kid)
    expect([publishedAt(1000 + OVERLAP_SECONDS - 1), publishedAt(1000 + OVERLAP_SECONDS)]).toEqual([true, false])
  })
})

describe('readKeyRing()', () => {
  test.each([
    ['nothing', undefined],
    ['no JSON', '{'],
    ['null', 'null'],
    ['no next key', '{"current":{"kid":"a"},"retired":[]}'],
    [
      'a retired key without an end',
      '{"current":{"kid":"a"},"next":{"kid":"b"},"retired":[{"publicJwk":{"kid":"c"}}]}',
    ],
  ])('refuses %s', (_name, text) => {
    const directory = join(temporaryDirectory(), 'keys')
    mkdirSync(directory)
    for (const content of text === undefined ? [] : [text]) writeFileSync(join(directory, 'ring.json'), content)
    expect(() => readKeyRing(directory)).toThrow('key')
  })
})

describe('readPrivateJwk()', () => {
  test('refuses a key that others can read', () => {
    const file = join(temporaryDirectory(), 'key.json')
    writeFileSync(file, '{"kty":"EC","d":"x"}', { mode: 0o600 })
    chmodSync(file, 0o644)
    expect(() => readPrivateJwk(file)).toThrow('chmod 600')
  })

  test('never quotes what it cannot read', () => {
    const file = join(temporaryDirectory(), 'key.json')
    writeFileSync(file, '{"kty":"EC","d":"CANARY', { mode: 0o600 })
    expect(() => readPrivateJwk(file)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('CANARY') }),
    )
  })
})
