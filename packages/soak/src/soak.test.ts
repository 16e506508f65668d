import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { SoakReport } from './report/report.ts'
import { hasRedis } from './store/redis-store.ts'

/** Its processes run the built package, as `npm test` has built it. */
const program = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const SECONDS = 12
const PATIENCE_MS = 180_000

async function soak(ledger: string): Promise<{ readonly code: number | null; readonly report: SoakReport }> {
  if (!existsSync(program)) throw new Error('The soak is not built: npm run build')
  const args = ['--minutes', String(SECONDS / 60), '--seed', '4', '--ledger', ledger, '--json']
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (data: string) => (text += data))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, report: JSON.parse(text) as SoakReport }
}

/** Where CI runs, a missing server is a failure. */
const redis = hasRedis() || process.env['CI'] !== undefined
const where = redis ? '' : ' (Redis is SKIPPED: install redis-server 7)'

test.concurrent.each([{ ledger: 'sqlite' }, ...(redis ? [{ ledger: 'redis' }] : [])])(
  `npm run soak finds no violation in ${SECONDS} s on $ledger${where}`,
  { timeout: PATIENCE_MS },
  async ({ ledger }) => {
    const { code, report } = await soak(ledger)
    expect(report.violations).toEqual([])
    expect(code).toBe(0)
    // A run in which nothing happened would prove nothing.
    expect(report.uses.runs).toBeGreaterThan(0)
    expect(Object.values(report.faults).some((count) => count > 0)).toBe(true)
    expect(report.trails).toMatchObject({ missing: 0, doubled: 0 })
  },
)
