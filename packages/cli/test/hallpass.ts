import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** The built command: tests type what people type. */
const bin = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'bin.js')

export interface Typed {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A directory that is gone after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'hallpass-cli-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function launch(args: readonly string[], { cwd, env }: Typed): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(HALLPASS_|NODE_ENV$|VITEST)/.test(name))
  return spawn(process.execPath, [bin, ...args], {
    ...(cwd !== undefined && { cwd }),
    env: { ...Object.fromEntries(inherited), NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Types a command and waits for its end. */
export async function hallpass(args: readonly string[], typed: Typed = {}): Promise<Ran> {
  const running = start(args, typed)
  await running.ended
  return { code: running.code(), stdout: running.stdout(), stderr: running.stderr() }
}

export interface Running {
  stdout(): string
  stderr(): string
  code(): number | null
  /** Resolves when stdout or stderr has this text; rejects when the process ends first. */
  until(text: string): Promise<void>
  signal(name: NodeJS.Signals): void
  readonly ended: Promise<void>
}

/** Types a command that goes on running; it is killed after the test. */
export function start(args: readonly string[], typed: Typed = {}): Running {
  const child = launch(args, typed)
  let [stdout, stderr] = ['', '']
  const heard = new Set<() => void>()
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    for (const listener of heard) listener()
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    for (const listener of heard) listener()
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    code: () => child.exitCode,
    ended,
    signal: (name) => void child.kill(name),
    until: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (stdout.includes(text) || stderr.includes(text)) resolve()
        }
        heard.add(look)
        void ended.then(() => reject(new Error(`ended before it said "${text}":\n${stdout}${stderr}`)))
        look()
      }),
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return typeof address === 'object' && address !== null ? address.port : 0
}
