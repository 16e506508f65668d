import type { Command } from './command.ts'
import { misused } from './failure.ts'

/** Single-character edits between two words. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, n) => n)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const change = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}

export interface Found {
  readonly command: Command
  /** What was typed after its name. */
  readonly rest: readonly string[]
}

/** The command whose one or two words were typed; throws with the nearest one when there is none. */
export function findCommand(commands: readonly Command[], typed: readonly string[]): Found {
  for (const words of [2, 1]) {
    const name = typed.slice(0, words).join(' ')
    const command = commands.find((candidate) => candidate.name === name)
    if (command) return { command, rest: typed.slice(words) }
  }
  const [first = '', second = ''] = typed
  const group = commands.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name)
  if (group.length > 0) throw misused(`hallpass ${first} what? There is: ${group.join(', ')}`)
  const near = (name: string): number => {
    const [word = ''] = name.split(' ')
    return Math.min(distance(first, word), distance(`${first} ${second}`, name))
  }
  const [best] = commands.map(({ name }) => name).toSorted((a, b) => near(a) - near(b))
  const hint = best !== undefined && near(best) <= 2 ? `Did you mean "hallpass ${best}"?` : 'See: hallpass --help'
  throw misused(`There is no command "${first}". ${hint}`)
}
