import type { Command } from './command.ts'

const column = (rows: readonly (readonly [string, string])[]): string => {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')
}

/** What `hallpass --help` shows. */
export const overview = (commands: readonly Command[]): string =>
  [
    'Just-in-time authorization for AI agents\n\nUsage: hallpass COMMAND [OPTIONS]\n',
    column(commands.map(({ name, summary }) => [name, summary])),
    '\nEvery command takes --help, and --json for programs.',
    'Exit codes: 0 done, 1 did not work or the answer is no, 2 typed wrongly.',
  ].join('\n')

/** What `hallpass COMMAND --help` shows. */
export function helpOf(command: Command): string {
  const options = Object.entries(command.options).map(
    ([name, { value, help }]) => [value === undefined ? `--${name}` : `--${name} ${value}`, help] as const,
  )
  const usage = ['hallpass', command.name, ...(command.positionals ? [command.positionals] : []), '[OPTIONS]'].join(' ')
  return [
    command.summary,
    `\nUsage: ${usage}\n`,
    column([...options, ['--json', 'Write the result as JSON'], ['--help', 'Show this']]),
    ...(command.notes === undefined ? [] : [`\n${command.notes}`]),
  ].join('\n')
}
