import { spawn } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const packageFolder = dirname(dirname(fileURLToPath(import.meta.url)))

/** Runs code in a process of its own, on the built package; resolves with the JSON it says last. */
export function inReplica(code: string, input: unknown): Promise<unknown> {
  const args = ['--input-type=module', '-e', code, JSON.stringify(input)]
  const child = spawn(process.execPath, args, { cwd: packageFolder, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  return new Promise((resolve, reject) => {
    child.once('close', (code) => {
      const last = output.trim().split('\n').at(-1) ?? ''
      if (code === 0 && last !== '') resolve(JSON.parse(last))
      else reject(new Error(`A replica ended with ${code}: ${output}`))
    })
  })
}
