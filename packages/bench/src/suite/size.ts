import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { RowAim } from '../row/row-aim.ts'
import { installedSize } from '../size/installed-size.ts'
import type { Work } from '../timing/work.ts'
import { must } from './must.ts'
import type { Entry, Suite } from './suite.ts'

const row = (id: string, baseline: string, work: string): RowAim => ({
  id,
  aim: null,
  better: 'lower',
  measure: 'wall',
  baseline,
  work,
})

const START = row(
  'size.start',
  'the same without a guard',
  'an Express process with a guarded route, from its start to its first answer and end',
)
const IMPORT = row('size.import', 'Node with nothing to do', 'a process that imports @hallpass/verifier and ends')

/** The same server without a guard, in the fewest lines. */
const OPEN = `
const { default: express } = await import('express')
const { get } = await import('node:http')
const app = express()
app.get('/orders/:id', (req, res) => void res.json({ id: req.params.id }))
const server = app.listen(0, '127.0.0.1', () => {
  get({ port: server.address().port, path: '/orders/123', headers: { connection: 'close' } }, (response) => {
    response.resume()
    server.close()
    process.exitCode = response.statusCode === 200 ? 0 : 1
  })
})`

const running = (...args: readonly string[]): Work => ({
  async run(operations) {
    for (let done = 0; done < operations; done++) {
      const child = spawn(process.execPath, args, {
        stdio: ['ignore', 'ignore', 'inherit'],
        cwd: fileURLToPath(new URL('.', import.meta.url)),
      })
      const [status] = (await once(child, 'exit')) as [number | null]
      if (status !== 0) throw new Error('A process that was timed from its start ended badly.')
    }
  },
})

const code = (text: string): Work => running('--input-type=module', '--eval', text)

export const size: Suite = {
  rows: [START, IMPORT],
  pace: {
    full: { rounds: 9, slice: 1, baselineSlice: 1, warmUp: 1 },
    quick: { rounds: 3, slice: 1, baselineSlice: 1, warmUp: 1 },
  },
  open: async (chosen) => {
    const main = process.argv[1] ?? ''
    const verifier = fileURLToPath(new URL('.', import.meta.resolve('@hallpass/verifier/package.json')))
    const { packages, kibibytes } = installedSize(verifier)
    const check = async (): Promise<void> => must(packages > 1 && kibibytes > 0, 'the verifier is installed')
    const entries: Entry[] = [
      { id: START.id, check, work: running(main, 'first-answer'), baseline: code(OPEN) },
      {
        id: IMPORT.id,
        check,
        work: code("await import('@hallpass/verifier')"),
        baseline: code('0'),
        detail: () => ({ installedPackages: packages, installedKiB: kibibytes }),
      },
    ]
    return { entries: entries.filter(({ id }) => chosen.has(id)) }
  },
}
