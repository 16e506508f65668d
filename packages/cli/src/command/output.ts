import type { JsonValue } from '@hallpass/core'

/** Where a command writes. Results go to stdout; everything said about them goes to stderr. */
export interface Output {
  /** Results are one JSON value, for programs. */
  readonly json: boolean
  /** Stdout is a terminal that shows colours. */
  readonly color: boolean
  /** Text for people; nothing in JSON mode. */
  say(text: string): void
  /** The result for programs; nothing outside JSON mode. */
  result(value: object): void
  /** A remark, on stderr, in both modes. */
  warn(text: string): void
}

/** JSON text of a result; what is undefined in it is left out. */
const toJson = (value: object | JsonValue): string => JSON.stringify(value, null, 2)

let isWatched = false

/** Ends the process when nobody reads its result any more, as in `hallpass audit show FILE | head`. */
function watchReader(): void {
  if (isWatched) return
  isWatched = true
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(1)
  })
}

/** Writes to this process's stdout and stderr. Honours NO_COLOR. */
export function processOutput(json: boolean): Output {
  const noColor = process.env['NO_COLOR'] !== undefined && process.env['NO_COLOR'] !== ''
  return {
    json,
    color: !json && !noColor && process.stdout.isTTY,
    say(text) {
      if (json) return
      watchReader()
      process.stdout.write(`${text}\n`)
    },
    result(value) {
      if (!json) return
      watchReader()
      process.stdout.write(`${toJson(value)}\n`)
    },
    warn(text) {
      process.stderr.write(`${text}\n`)
    },
  }
}
