import { parseArgs } from 'node:util'
import type { Arguments, Command } from './command.ts'
import { misused } from './failure.ts'

const EVERYWHERE = {
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
} as const

/** Parses what was typed after a command's name; throws a `Failure` of exit code 2 that says what to type instead. */
export function parseArguments(command: Command, typed: readonly string[]): Arguments {
  const parsed = parse(command, typed)
  const { positionals } = parsed
  const values: Readonly<Record<string, string | boolean | undefined>> = parsed.values
  const args: Arguments = {
    text: (name) => (typeof values[name] === 'string' ? values[name] : undefined),
    flag: (name) => values[name] === true,
    positionals,
  }
  if (args.flag('help')) return args
  const [least, most] = command.takes ?? [0, 0]
  if (positionals.length < least) throw misused(`hallpass ${command.name} needs ${command.positionals}${see(command)}`)
  if (positionals.length > most)
    throw misused(`hallpass ${command.name} does not take "${positionals[most]}"${see(command)}`)
  return args
}

function parse(command: Command, typed: readonly string[]) {
  const own = Object.entries(command.options).map(([name, { type }]) => [name, { type }] as const)
  try {
    return parseArgs({
      args: [...typed],
      options: { ...Object.fromEntries(own), ...EVERYWHERE },
      allowPositionals: true,
    })
  } catch (error) {
    // Node's words go on about `--` and dashes; the first sentence says it.
    const [first = 'The arguments are not understood'] = (error as Error).message.split(/\. |\n/)
    throw misused(`${first}${see(command)}`)
  }
}

const see = (command: Command): string => `. See: hallpass ${command.name} --help`
