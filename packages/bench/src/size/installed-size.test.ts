import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { installedSize } from './installed-size.ts'

describe('installedSize()', () => {
  const root = mkdtempSync(join(tmpdir(), 'hallpass-size-'))
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  const put = (path: string, text: string | number): void => {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), typeof text === 'number' ? 'x'.repeat(text) : text)
  }

  test('counts each package once, and of ours only what is published', () => {
    const needs = (...names: readonly string[]) => ({ dependencies: Object.fromEntries(names.map((n) => [n, '*'])) })
    put('own/package.json', JSON.stringify({ name: 'own', ...needs('a', 'b') }))
    put('own/tsconfig.json', '{}')
    put('own/dist/index.js', 10_240)
    put('own/dist/.tsbuildinfo', 102_400)
    put('own/src/index.test.ts', 102_400)
    put('own/coverage/report.html', 102_400)
    put('own/node_modules/a/package.json', JSON.stringify({ name: 'a', ...needs('b') }))
    put('store/b/package.json', JSON.stringify({ name: 'b' }))
    put('store/b/index.js', 20_480)
    symlinkSync(join(root, 'store/b'), join(root, 'own/node_modules/b'))
    expect(installedSize(join(root, 'own'))).toEqual({ packages: 3, kibibytes: 30 })
  })

  test('misses nothing silently', () => {
    put('own/package.json', JSON.stringify({ name: 'own', dependencies: { nowhere: '*' } }))
    expect(() => installedSize(join(root, 'own'))).toThrow('nowhere')
  })
})
