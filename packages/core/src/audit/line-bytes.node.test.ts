import { array, assert, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { lineBytes } from './line-bytes.node.ts'

test('lineBytes() ends each line with a line break, whatever is in it', () =>
  assert(
    property(array(string({ unit: 'binary' })), (lines) => {
      expect(Buffer.from(lineBytes(lines)).equals(Buffer.from(lines.map((line) => `${line}\n`).join('')))).toBe(true)
    }),
  ))
