import type { HallpassError } from '@hallpass/core'
import { Failure } from './command/failure.ts'
import { findCommand } from './command/find-command.ts'
import { helpOf, overview } from './command/help.ts'
import type { Output } from './command/output.ts'
import { processOutput } from './command/output.ts'
import { parseArguments } from './command/parse-arguments.ts'
import { commands } from './commands.ts'

const HELP = new Set(['--help', '-h', 'help'])

/** Runs one command line and answers its exit code. Never throws for what a person may type. */
export async function runCli(typed: readonly string[], outputFor = processOutput): Promise<0 | 1 | 2> {
  const json = typed.includes('--json')
  const output = outputFor(json)
  try {
    return await runCommand(typed, outputFor)
  } catch (error) {
    const { message, code, exitCode } = explain(error)
    output.result({ ok: false, error: { code, message } })
    output.warn(json ? message : `hallpass: ${message}`)
    return exitCode
  }
}

async function runCommand(typed: readonly string[], outputFor: (json: boolean) => Output): Promise<0 | 1 | 2> {
  const [first] = typed
  if (first === undefined || HELP.has(first)) {
    outputFor(false).say(overview(commands))
    return first === undefined ? 2 : 0
  }
  const { command, rest } = findCommand(commands, typed)
  const args = parseArguments(command, rest)
  if (!args.flag('help')) return command.run(args, outputFor(args.flag('json')))
  outputFor(false).say(helpOf(command))
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
