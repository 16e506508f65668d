import type { TaskEnd, TaskRecord, TaskState } from '@hallpass/core'
import { secondsOf } from './times.ts'

/** How a task stands: `incarnation` is told as today's where its slot still lives the life it was opened in. */
export function taskState(
  fields: ReadonlyMap<string, string>,
  { now, era, incarnation }: { readonly now: number; readonly era: string; readonly incarnation: string },
): TaskState | undefined {
  const text = fields.get('record')
  if (text === undefined) return undefined
  const stored = JSON.parse(text) as TaskRecord
  const record = fields.get('era') === era ? { ...stored, incarnation } : stored
  const end = endOf(fields, record, now)
  return {
    ...record,
    ...(end && { end }),
    grantsIssued: Number(fields.get('grants') ?? 0),
    uses: counted(fields, 'calls:', (count) => count > 0),
    spent: counted(fields, 'spent:', () => true),
    refusals: Number(fields.get('refusals') ?? 0),
  }
}

/** The first end stands: a task past its deadline ended there, whether or not somebody has swept it. */
function endOf(fields: ReadonlyMap<string, string>, { deadline }: TaskRecord, now: number): TaskState['end'] {
  const how = fields.get('end') as TaskEnd | undefined
  if (how === 'expired' || (how === undefined && now >= Number(fields.get('deadline')))) {
    return { how: 'expired', at: deadline }
  }
  if (how === undefined) return undefined
  const reason = fields.get('end-why')
  const at = secondsOf(fields.get('end-at'))
  return reason === undefined ? { how, at } : { how, at, reason }
}

function counted(
  fields: ReadonlyMap<string, string>,
  prefix: string,
  keep: (count: number) => boolean,
): Readonly<Record<string, number>> {
  const found = [...fields].flatMap(([name, value]): [string, number][] =>
    name.startsWith(prefix) && keep(Number(value)) ? [[name.slice(prefix.length), Number(value)]] : [],
  )
  return Object.fromEntries(found.toSorted(([one], [other]) => (one < other ? -1 : 1)))
}
