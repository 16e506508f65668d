import type { HallpassError } from '@hallpass/core'
import type { Command } from './command/command.ts'
import { Failure } from './command/failure.ts'
import { findCommand } from './command/find-command.ts'
import { helpOf, overview } from './command/help.ts'
import { processOutput } from './command/output.ts'
import { parseArguments } from './command/parse-arguments.ts'
import { commands } from './commands.ts'

const HELP = new Set(['--help', '-h', 'help'])

/** Runs one command line and answers its exit code. Never throws for what a person may type. */
export async function runCli(typed: readonly string[]): Promise<0 | 1 | 2> {
  const json = typed.includes('--json')
  const output = processOutput(json)
  try {
    return await runCommand(typed)
  } catch (error) {
    const { message, code, exitCode } = explain(error)
    output.result({ ok: false, error: { code, message } })
    output.warn(json ? message : `hallpass: ${message}`)
    return exitCode
  }
}

async function runCommand(typed: readonly string[]): Promise<0 | 1 | 2> {
  const [first] = typed
  if (first === undefined || HELP.has(first)) {
    process.stdout.write(`${overview(commands)}\n`)
    return first === undefined ? 2 : 0
  }
  const { command, rest } = findCommand(commands, typed)
  const args = parseArguments(command, rest)
  if (args.flag('help')) return showHelp(command)
  return command.run(args, processOutput(args.flag('json')))
}

function showHelp(command: Command): 0 {
  process.stdout.write(`${helpOf(command)}\n`)
  return 0
}

function explain(error: unknown): { readonly message: string; readonly code: string; readonly exitCode: 1 | 2 } {
  if (error instanceof Failure) {
    return { message: error.message, code: error.exitCode === 2 ? 'misused' : 'failed', exitCode: error.exitCode }
  }
  // By name, not by class: a configuration may have loaded a copy of its own.
  const { name, message = String(error), code } = error as Partial<HallpassError>
  if (name === 'HallpassError' && code !== undefined) return { message, code, exitCode: 1 }
  const stack = process.env['HALLPASS_DEBUG'] === undefined ? '' : `\n${(error as Error).stack ?? ''}`
  return { message: `${message}${stack}`, code: 'internal', exitCode: 1 }
}
