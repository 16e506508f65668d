import { randomInt } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { readOptions } from './command/options.ts'
import { render } from './report/render.ts'
import type { RoleTask } from './role/messages.ts'
import { runRole } from './role/run-role.ts'
import { runSoak } from './run/run-soak.ts'

const args = process.argv.slice(2)
if (args[0] === '--role') await runRole(JSON.parse(args[1] ?? '') as RoleTask)
else await command()

async function command(): Promise<void> {
  const options = readOptions(args, () => randomInt(2 ** 31))
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n`)
    process.exit(2)
  }
  const isLive = process.stderr.isTTY
  let lines = 0
  const report = await runSoak(options, fileURLToPath(import.meta.url), ({ left, grants, requests, faults }) => {
    const text = `${Math.ceil(left)} s left, ${grants} grants, ${requests} requests, ${faults} faults`
    if (isLive) process.stderr.write(`\r${text}   `)
    else if (lines++ % 5 === 0) process.stderr.write(`${text}\n`)
  })
  if (isLive) process.stderr.write('\n')
  const text = options.json ? JSON.stringify(report) : render(report)
  process.stdout.write(`${text}\n`, () => process.exit(report.violations.length === 0 ? 0 : 1))
}
