import { spawn } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const packageFolder = dirname(dirname(fileURLToPath(import.meta.url)))

export interface Replica {
  /** Whole lines said so far. */
  said(): readonly string[]
  /** Resolves after so many lines, or at the end. */
  until(lines: number): Promise<void>
  signal(name: NodeJS.Signals): void
  readonly ended: Promise<void>
}

/** A process of its own that runs the built package. */
export function startReplica(code: string, input: unknown): Replica {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code, JSON.stringify(input)], {
    cwd: packageFolder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  const heard = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    for (const listener of heard) listener()
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const said = () => output.split('\n').slice(0, -1)
  return {
    said,
    ended,
    signal: (name) => void child.kill(name),
    until: (lines) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (said().length >= lines) resolve()
        }
        heard.add(look)
        void ended.then(() => resolve())
        look()
      }),
  }
}
