import { closeSync, fdatasyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyTrail } from '@hallpass/core'
import { fileTrail } from '@hallpass/core/file-trail'
import type { FileTrail } from '@hallpass/core/file-trail'
import { pino } from 'pino'
import type { Work } from '../timing/work.ts'
import { useStarted } from '../world/use-event.ts'
import { must, mustThrow } from './must.ts'
import type { Entry, Suite } from './suite.ts'

const APPEND = 'audit.append'
const DURABLE = 'audit.durable'
const PINO_ASYNC = 'peer.pino.async'
/** Events in one turn of the event loop, and writers that wait for the disk at once. */
const BURST = 64

/** A busy machine's disk may fall behind by this much; what waits is on the clock all the same. */
const ROOM = 200_000

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A chained line, batches on disk while the next ones are made, everything on disk when the slice ends. */
function append(trail: FileTrail): Work {
  return {
    async run(operations) {
      for (let done = 0; done < operations; done++) {
        void trail.append(useStarted(done))
        if (done % BURST === BURST - 1) await turn()
      }
      await trail.flush()
    },
  }
}

function durable(trail: FileTrail): Work {
  return {
    async run(operations) {
      let left = operations
      const writer = async (): Promise<void> => {
        while (left-- > 0) await trail.append(useStarted(left))
      }
      await Promise.all(Array.from({ length: BURST }, writer))
    },
  }
}

function pinoLine(path: string, sync: boolean): Work & { close(): void } {
  const destination = pino.destination({ dest: path, sync, ...(sync ? {} : { minLength: 4096 }) })
  const logger = pino({ base: null }, destination)
  const opened = sync ? Promise.resolve() : new Promise<void>((resolve) => destination.once('ready', () => resolve()))
  return {
    prepare: () => opened,
    async run(operations) {
      for (let done = 0; done < operations; done++) {
        logger.info(useStarted(done))
        if (done % BURST === BURST - 1) await turn()
      }
      destination.flushSync()
    },
    close: () => destination.end(),
  }
}

function syncEach(path: string): Work & { close(): void } {
  const file = openSync(path, 'a', 0o600)
  return {
    run(operations) {
      for (let done = 0; done < operations; done++) {
        writeSync(file, `${JSON.stringify(useStarted(done))}\n`)
        fdatasyncSync(file)
      }
    },
    close: () => closeSync(file),
  }
}

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n').filter(Boolean)

/** What was appended is chained, an altered line is found, and a trail that cannot record says so. */
async function checkChain(folder: string, settings: 'grouped' | 'each'): Promise<void> {
  const path = join(folder, `check-${settings}.jsonl`)
  const trail = fileTrail({ path, durable: settings })
  const work = settings === 'grouped' ? append(trail) : durable(trail)
  await work.run(200)
  const lines = linesOf(path)
  must(lines.length === 200, 'every event is on disk when the slice is over')
  must((await verifyTrail(lines)).ok, 'the chain holds')
  const altered = lines.map((line, index) => (index === 100 ? line.replace('order:123', 'order:124') : line))
  must(!(await verifyTrail(altered)).ok, 'an altered line is found')
  must(!(await verifyTrail(lines.toSpliced(100, 1))).ok, 'a missing line is found')
  if (settings === 'each') {
    const event = useStarted(0)
    await trail.append(event)
    must(readFileSync(path, 'utf8').includes(event.id), 'an awaited append is in the file')
  }
  await trail.close()
  await mustThrow(() => trail.append(useStarted(0)), 'a trail that cannot record refuses')
}

export const audit: Suite = {
  rows: [
    {
      id: APPEND,
      aim: 0.75,
      better: 'lower',
      measure: 'wall',
      baseline: 'pino line, sync',
      work: 'one chained event in a file, batches synced, 64 per turn',
    },
    {
      id: PINO_ASYNC,
      aim: null,
      better: 'lower',
      measure: 'wall',
      baseline: 'pino line, sync',
      work: 'one pino line, asynchronous destination, no chain, no fsync',
    },
    {
      id: DURABLE,
      aim: 10,
      better: 'higher',
      measure: 'wall',
      baseline: 'write + fdatasync per line',
      work: 'one chained event, awaited until on disk, 64 waiting',
    },
  ],
  open: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hallpass-bench-'))
    const grouped = fileTrail({ path: join(folder, 'grouped.jsonl'), maxBufferedEvents: ROOM })
    const each = fileTrail({ path: join(folder, 'each.jsonl'), durable: 'each' })
    const pinoSync = pinoLine(join(folder, 'pino-sync.jsonl'), true)
    const pinoAsync = pinoLine(join(folder, 'pino-async.jsonl'), false)
    const fsync = syncEach(join(folder, 'fsync.jsonl'))
    const writesLines = async (): Promise<void> => {
      await pinoAsync.prepare?.(BURST)
      await pinoAsync.run(BURST)
      // A write that was under way when it was flushed ends on its own time.
      for (let tries = 0; tries < 100 && linesOf(join(folder, 'pino-async.jsonl')).length < BURST; tries++) await turn()
      must(linesOf(join(folder, 'pino-async.jsonl')).length >= BURST, 'the peer writes its lines')
    }
    const entries: readonly Entry[] = [
      { id: APPEND, check: () => checkChain(folder, 'grouped'), work: append(grouped), baseline: pinoSync },
      { id: PINO_ASYNC, check: writesLines, work: pinoAsync, baseline: pinoSync },
      { id: DURABLE, check: () => checkChain(folder, 'each'), work: durable(each), baseline: fsync },
    ]
    return {
      entries,
      async close() {
        await Promise.all([grouped.close(), each.close()])
        for (const peer of [pinoSync, pinoAsync, fsync]) peer.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
}
