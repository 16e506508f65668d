import { expect, test } from 'vitest'
import { pgTroubleOf } from './pg-trouble.ts'

test.each([
  [{ code: '40001' }, 'undone'],
  [{ code: '40P01' }, 'undone'],
  [{ code: '57P03' }, 'undone'],
  [{ code: 'ECONNREFUSED' }, 'undone'],
  [{ code: '57P01' }, 'unknown'],
  [{ code: '08006' }, 'unknown'],
  [{ code: 'ECONNRESET' }, 'unknown'],
  [{ code: 'CONNECTION_CLOSED' }, 'unknown'],
  [new Error('Connection terminated unexpectedly'), 'unknown'],
  [new Error('timeout exceeded when trying to connect'), 'unknown'],
  [{ code: '53100' }, 'full'],
  [{ code: '42P01' }, 'broken'],
  [{ code: 'HP002' }, 'broken'],
  [{ code: 40001 }, 'broken'],
  [new Error('anything'), 'broken'],
  [undefined, 'broken'],
])('pgTroubleOf() tells %o to be %s', (error, trouble) => {
  expect(pgTroubleOf(error)).toBe(trouble)
})
