import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { Output } from '../src/command/output.ts'
import { initCommand } from '../src/init/init.ts'
import { runCli } from '../src/run-cli.ts'

/** The built command: tests type what people type. */
const bin = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'bin.js')

export interface Typed {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Nobody reads its stdout, as when `head` has ended. */
  readonly isUnread?: boolean
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

/** Types a command into this process: the same from the first word on, without the price of a process. */
export async function hallpassHere(
  args: readonly string[],
  { cwd = process.cwd() }: Pick<Typed, 'cwd'> = {},
): Promise<Ran> {
  const said: Record<'stdout' | 'stderr', string> = { stdout: '', stderr: '' }
  const outputFor = (json: boolean): Output => ({
    json,
    color: false,
    say: (text) => void (said.stdout += json ? '' : `${text}\n`),
    result: (value) => void (said.stdout += json ? `${JSON.stringify(value)}\n` : ''),
    warn: (text) => void (said.stderr += `${text}\n`),
  })
  const before = process.cwd()
  process.chdir(cwd)
  try {
    return { code: await runCli(args, outputFor), ...said }
  } finally {
    process.chdir(before)
  }
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
  if (typed.isUnread === true) child.stdout?.destroy()
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

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

/** A port that was free a moment ago, below those that systems hand out to clients. */
export async function freePort(): Promise<number> {
  const port = 20_000 + Math.floor(Math.random() * 12_000)
  return (await isFree(port)) ? port : freePort()
}

const silent: Output = { json: false, color: false, say: () => {}, result: () => {}, warn: () => {} }

export interface Project {
  readonly cwd: string
  readonly issuer: string
  /** Changes the text of the configuration and the agent. */
  readonly change: (from: string, to: string) => void
}

/** A project as `hallpass init` writes it, at a port of its own. */
export async function initProject(): Promise<Project> {
  const cwd = temporaryDirectory()
  const issuer = `http://127.0.0.1:${await freePort()}`
  const args = { text: (name: string) => (name === 'dir' ? cwd : undefined), flag: () => false, positionals: [] }
  await initCommand.run(args, silent)
  const change = (from: string, to: string): void => {
    for (const name of ['hallpass.config.ts', 'agent.ts']) {
      const file = join(cwd, name)
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll(from, to))
    }
  }
  change('http://127.0.0.1:8710', issuer)
  return { cwd, issuer, change }
}
