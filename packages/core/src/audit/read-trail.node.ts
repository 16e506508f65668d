import { createReadStream } from 'node:fs'
import { HallpassError } from '../fault.ts'
import { MAX_LINE_CHARS } from './line.ts'
import { systemCode } from './system-code.node.ts'

/** UTF-8 takes at most three bytes for one UTF-16 code unit. */
const MAX_LINE_BYTES = MAX_LINE_CHARS * 3

/**
 * The lines of a trail's file, oldest first, as text and unchecked: hand them to `verifyTrail`, or parse them. Splits at
 * line feeds only. A last line that a crash tore is among them.
 *
 * @throws HallpassError `trail-invalid` when the file cannot be opened, is not UTF-8, or holds an endless line.
 */
export async function* readTrail(path: string): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let number = 0
  const decode = (bytes: Buffer): string => {
    number += 1
    try {
      return decoder.decode(bytes)
    } catch (cause) {
      throw new HallpassError('trail-invalid', `Line ${number} of ${path} is not UTF-8 text, so it was altered`, {
        cause,
      })
    }
  }
  let rest: Buffer = Buffer.alloc(0)
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let start = 0
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
        yield decode(bytes.subarray(start, end))
        start = end + 1
      }
      rest = bytes.subarray(start)
      if (rest.length > MAX_LINE_BYTES) {
        throw new HallpassError(
          'trail-invalid',
          `Line ${number + 1} of ${path} is longer than any that Hallpass writes`,
        )
      }
    }
  } catch (cause) {
    if (cause instanceof HallpassError) throw cause
    throw new HallpassError(
      'trail-invalid',
      `The trail ${path} cannot be read: the system answered ${systemCode(cause)}`,
      { cause },
    )
  }
  if (rest.length > 0) yield decode(rest)
}
