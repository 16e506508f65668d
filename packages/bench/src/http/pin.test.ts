import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { pinLoad } from './pin.ts'

test('pinLoad() gives every core back', () => {
  const cores = availableParallelism()
  const unpin = pinLoad()
  unpin()
  expect(availableParallelism()).toBe(cores)
})
