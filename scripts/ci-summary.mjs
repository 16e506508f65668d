// The last lines of a build: each test that failed, then what passed and what failed, over the tests and the checks together.
import { existsSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'

const [testsFile, checkFile, broken] = process.argv.slice(2)
const read = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined)
const tests = read(testsFile)
const checks = read(checkFile)

// Whoever reads a build often has its end alone.
for (const file of tests?.testResults ?? []) {
  const name = relative(process.cwd(), file.name)
  const broke = file.assertionResults.filter(({ status }) => status === 'failed')
  if (file.status === 'failed' && broke.length === 0) say(name, file.message)
  for (const test of broke) say(`${name} > ${test.fullName}`, test.failureMessages.join('\n'))
}

const passed = (tests?.numPassedTests ?? 0) + (checks?.passed ?? 0)
const counted = (tests?.numFailedTests ?? 0) + (checks?.failed ?? 0)
// A command that broke without a report, or a suite that did not load, is a failure all the same.
const failed = Math.max(counted, Number(broken))

process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

function say(title, message) {
  process.stdout.write(`failed: ${title}\n${(message ?? '').slice(0, 2000)}\n`)
}
