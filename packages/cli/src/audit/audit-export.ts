import { once } from 'node:events'
import type { ChainHead, TrailLine } from '@hallpass/core'
import { GENESIS, readLine } from '@hallpass/core'
import { readTrail } from '@hallpass/core/file-trail'
import type { Command } from '../command/command.ts'
import { Failure, misused } from '../command/failure.ts'
import { ocsfEvent } from './ocsf-event.ts'
import { otelLog } from './otel-log.ts'

const FORMATS: Readonly<Record<string, ((line: TrailLine, text: string) => string) | undefined>> = Object.assign(
  Object.create(null) as object,
  {
    jsonl: (_line: TrailLine, text: string) => text,
    ocsf: (line: TrailLine) => JSON.stringify(ocsfEvent(line)),
    otel: (line: TrailLine) => JSON.stringify(otelLog(line)),
  },
)

/** The line, if it is what was recorded after this head. */
function following(text: string, after: ChainHead): TrailLine | undefined {
  const line = readLine(text)
  return line?.seq === after.seq + 1 && line.prev === after.hash ? line : undefined
}

/** Whoever reads stdout sets the pace, and may leave before the end. */
function watchReader() {
  let isGone = false
  process.stdout.once('error', () => (isGone = true))
  return {
    async ready(): Promise<void> {
      // A pipe that broke says so a moment after it was written to.
      if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain').catch(() => (isGone = true))
      if (isGone) throw new Failure('Stdout was closed before the end of the trail')
    },
  }
}

export const auditExport: Command = {
  name: 'audit export',
  summary: 'Write a trail to stdout for a SIEM: as it is, as OCSF events or as OpenTelemetry logs',
  positionals: 'FILE',
  takes: [1, 1],
  options: {
    format: { type: 'string', value: 'FORMAT', help: 'jsonl (default), ocsf or otel: one JSON text a line' },
    after: { type: 'string', value: 'NUMBER', help: 'Only lines after this number: where the last export ended' },
  },
  notes:
    'Every line is checked on the way. Exit code 1: one is not what was recorded; nothing from it on is written. Signatures\n' +
    'are not checked: that is what `hallpass audit verify` is for.',
  async run(args, output) {
    if (output.json) throw misused('audit export writes JSON anyway: leave out --json')
    const [file = ''] = args.positionals
    const format = args.text('format') ?? 'jsonl'
    const write = FORMATS[format]
    if (write === undefined) throw misused('--format takes jsonl, ocsf or otel')
    const after = Number(args.text('after') ?? 0)
    if (!Number.isSafeInteger(after) || after < 0) throw misused('--after takes the number of a line')
    let head: ChainHead = { seq: 0, hash: GENESIS }
    const reader = watchReader()
    for await (const text of readTrail(file)) {
      const line = following(text, head)
      if (line === undefined) {
        throw new Failure(`Line ${head.seq + 1} is not what was recorded there; see \`hallpass audit verify ${file}\``)
      }
      head = { seq: line.seq, hash: line.hash }
      if (line.seq <= after) continue
      output.say(write(line, text))
      await reader.ready()
    }
    return 0
  },
}
