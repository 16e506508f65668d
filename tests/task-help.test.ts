import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>
}
const PATIENCE_MS = 60_000

const typed = (...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/run.mjs', ...args], {
    cwd: root,
    encoding: 'utf8',
    // Whatever would look for a program finds none.
    env: { PATH: '' },
  })
  return { status, stdout, stderr }
}

describe('npm run TASK -- --help', { timeout: PATIENCE_MS }, () => {
  test.each(Object.keys(scripts))('%s says what it does, and does nothing', (name) => {
    const { status, stdout, stderr } = typed(name, '--help')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(new RegExp(`^npm (?:run )?${name}\\b[^]*\\n\\n[A-Z].*\\.\\n`))
  })
})
