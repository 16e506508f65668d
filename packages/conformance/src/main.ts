import { requirements } from './requirements/index.ts'
import { runScenario } from './run-scenario.ts'
import { scenarios } from './scenarios/index.ts'
import type { DoorName } from './stage/doors.ts'

const DOORS: readonly DoorName[] = ['fetch', 'express', 'fastify', 'hono']
const json = process.argv.includes('--json')

interface Failure {
  readonly title: string
  readonly door: DoorName
  readonly message: string
}

const failures: Failure[] = []
/** Requirement -> door -> whether everything that exercises it there held. */
const held = new Map<string, Map<DoorName, boolean>>()
const runs = scenarios.flatMap((scenario) =>
  (scenario.on === 'doors' ? DOORS : DOORS.slice(0, 1)).map((door) => ({ scenario, door })),
)

for (const [index, { scenario, door }] of runs.entries()) {
  if (process.stderr.isTTY) process.stderr.write(`\r${index + 1} of ${runs.length}  ${door.padEnd(8)}`)
  const failure = await runScenario(scenario, door).then(
    () => undefined,
    (cause: unknown) => (cause instanceof Error ? cause.message : 'failed'),
  )
  if (failure !== undefined) failures.push({ title: scenario.title, door, message: failure })
  for (const id of scenario.verifies) {
    const doors = held.get(id) ?? new Map<DoorName, boolean>()
    doors.set(door, (doors.get(door) ?? true) && failure === undefined)
    held.set(id, doors)
  }
}
if (process.stderr.isTTY) process.stderr.write('\n')

const report = requirements.map(({ id, source, behavior, later }) => {
  const doors = held.get(id)
  const passed = doors !== undefined && [...doors.values()].every(Boolean)
  const status = later === true ? 'later' : passed ? 'passed' : 'failed'
  return { id, source, status, behavior, doors: Object.fromEntries(doors ?? []) }
})
const count = (status: string): number => report.filter((row) => row.status === status).length

if (json) {
  console.log(JSON.stringify({ requirements: report, failures }))
} else {
  for (const { id, source, status, behavior, doors } of report) {
    const mark = { passed: '✓', failed: '✗', later: '·' }[status]
    const where = Object.keys(doors).length > 1 ? Object.keys(doors).join(' ') : ''
    console.log(`${mark} ${id.padEnd(22)} ${source.padEnd(15)} ${behavior}${where === '' ? '' : `  [${where}]`}`)
  }
  for (const { title, door, message } of failures) console.error(`\n✗ ${title} (${door})\n  ${message}`)
  console.log(`\n${count('passed')} passed, ${count('failed')} failed, ${count('later')} for later`)
}
process.exit(count('failed') === 0 && failures.length === 0 ? 0 : 1)
