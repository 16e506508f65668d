import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from '../command/command.ts'
import { Failure } from '../command/failure.ts'
import { importFile, whyNot } from '../config/load-config.ts'

export const runFile: Command = {
  name: 'run',
  summary: 'Run a TypeScript file, such as the agent that init wrote',
  positionals: 'FILE.ts',
  takes: [1, 1],
  options: {},
  notes: 'Any Node version that Hallpass supports runs it, without a build. Types are not checked.',
  async run(args, output) {
    const file = resolve(args.positionals[0] ?? '')
    if (!existsSync(file)) throw new Failure(`There is no file ${file}`)
    try {
      await importFile(file)
      return 0
    } catch (error) {
      // The author of the file needs the place where it failed.
      const stack = (error as Error).stack?.split('\n').filter((line) => line.startsWith('    at ')) ?? []
      output.warn([`${file} failed: ${whyNot(error)}`, ...stack].join('\n'))
      return 1
    }
  },
}
