// The last line of a build: what passed and what failed, over the tests and the checks together.
import { existsSync, readFileSync } from 'node:fs'

const [testsFile, checkFile, broken] = process.argv.slice(2)
const read = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined)
const tests = read(testsFile)
const checks = read(checkFile)

const passed = (tests?.numPassedTests ?? 0) + (checks?.passed ?? 0)
const counted = (tests?.numFailedTests ?? 0) + (checks?.failed ?? 0)
// A command that broke without a report, or a suite that did not load, is a failure all the same.
const failed = Math.max(counted, Number(broken))

process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
