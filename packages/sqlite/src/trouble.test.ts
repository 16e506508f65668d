import { expect, test } from 'vitest'
import { troubleOf } from './trouble.ts'

test.each([
  [{ errcode: 5 }, 'busy'],
  [{ errcode: 517 }, 'busy'],
  [{ errcode: 6, message: 'database table is locked' }, 'busy'],
  [{ errcode: 13 }, 'full'],
  [{ code: 'SQLITE_BUSY' }, 'busy'],
  [{ code: 'SQLITE_BUSY_SNAPSHOT' }, 'busy'],
  [{ code: 'SQLITE_FULL' }, 'full'],
  [{ rawCode: 5, code: 'SQLITE_BUSY' }, 'busy'],
  [{ code: 'ERR_SQLITE_ERROR', message: 'database is locked' }, 'busy'],
  [{ message: 'database or disk is full' }, 'full'],
  [{ errcode: 8 }, 'other'],
  [{ code: 'SQLITE_IOERR' }, 'other'],
  [new Error('anything'), 'other'],
  [undefined, 'other'],
  ['text', 'other'],
])('troubleOf() tells %o to be %s', (error, trouble) => {
  expect(troubleOf(error)).toBe(trouble)
})
