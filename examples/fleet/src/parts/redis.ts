import { spawn, spawnSync, type ChildProcess } from 'node:child_process'

const PROGRAMS = ['redis-server', 'valkey-server']

/** A Redis of this run alone, or undefined where neither Redis nor Valkey is installed. */
export function startRedis(port: number, directory: string): ChildProcess | undefined {
  const program = PROGRAMS.find((name) => spawnSync(name, ['--version']).status === 0)
  if (program === undefined) return undefined
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '']
  return spawn(program, [...settings, '--appendonly', 'no', '--maxmemory-policy', 'noeviction'], { stdio: 'ignore' })
}
