const FRAME = /\(?(?:file:\/\/)?([^\s()]+):(\d+):\d+\)?$/

/** The function that calls predicates; the frame above it in a stack is the predicate's. */
const CALLER = 'callPredicate'

/** `file.ts:14` out of one line of a stack trace; the path is dropped, which would tell about the machine. */
function siteOf(frame: string | undefined): string | undefined {
  const [, path, line] = FRAME.exec(frame?.trim() ?? '') ?? []
  const file = path
    ?.split(/[/\\]/)
    .at(-1)
    ?.replace(/[?#].*$/, '')
  return file === undefined || file === '' || line === undefined ? undefined : `${file}:${line}`
}

/** Lines of a stack trace that are frames, whatever the runtime. */
const framesOf = (stack: unknown): readonly string[] =>
  typeof stack === 'string' ? stack.split('\n').filter((line) => FRAME.test(line.trim())) : []

/** Where the caller of `below` stands in the sources. Undefined where the runtime does not say. */
export function callSite(below: (...parameters: never) => unknown): string | undefined {
  const holder: { stack?: string } = {}
  Error.captureStackTrace?.(holder, below)
  return siteOf(framesOf(holder.stack)[0])
}

/** Where a predicate threw: its own line, not that of what it called. Undefined for what is not an error. */
export function throwSite(thrown: unknown): string | undefined {
  try {
    const frames = framesOf(thrown instanceof Error ? thrown.stack : undefined)
    const caller = frames.findIndex((frame) => frame.includes(CALLER))
    return siteOf(frames[Math.max(caller - 1, 0)])
  } catch {
    return undefined
  }
}

/** `TypeError`, never the message, which may hold a value. */
export function kindOf(thrown: unknown): string {
  try {
    const name = thrown instanceof Error ? thrown.constructor.name : typeof thrown
    return /^[A-Za-z]{1,40}$/.test(name) ? name : 'error'
  } catch {
    return 'error'
  }
}
