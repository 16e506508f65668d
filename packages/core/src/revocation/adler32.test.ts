import { deflateSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { adler32 } from './adler32.ts'

describe('adler32()', () => {
  test('is the sum at the end of every ZLIB stream', () => {
    const outcome = fc.check(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 60 }), (bytes, times) => {
        const long = Buffer.concat(Array.from({ length: times }, () => bytes))
        return adler32(long) === deflateSync(long).readUInt32BE(deflateSync(long).length - 4)
      }),
    )
    expect(fc.defaultReportMessage(outcome)).toBeUndefined()
  })

  test('stays exact over a long list of the highest bytes', () => {
    const long = new Uint8Array(1024 * 1024).fill(255)
    expect(adler32(long)).toBe(deflateSync(long).readUInt32BE(deflateSync(long).length - 4))
  })
})
