import type { Output } from './output.ts'

/** One option as `node:util` parses it, with words for the help. */
export interface Option {
  readonly type: 'string' | 'boolean'
  /** Shown for a string: `--path FILE`. */
  readonly value?: string
  readonly help: string
}

export interface Arguments {
  /** Text of a string option, undefined when it was not given. */
  text(name: string): string | undefined
  flag(name: string): boolean
  readonly positionals: readonly string[]
}

export interface Command {
  /** `audit verify`: what is typed after `hallpass`. */
  readonly name: string
  /** One line. */
  readonly summary: string
  /** Positional arguments as shown in the help, such as `FILE [OTHER]`. */
  readonly positionals?: string
  /** How many positional arguments it takes at least and at most; default none. */
  readonly takes?: readonly [least: number, most: number]
  readonly options: Readonly<Record<string, Option>>
  /** More for the help: what the exit code means, an example. */
  readonly notes?: string
  run(args: Arguments, output: Output): Promise<0 | 1>
}
