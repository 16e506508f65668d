import { expect, test } from 'vitest'
import { decodeStatusList } from './status-list-encoding.ts'
import { StatusList } from './status-list.ts'

test('StatusList has one bit for each status, the first in the lowest', async () => {
  const list = new StatusList(24)
  for (const idx of [0, 9, 9, 23]) list.invalidate(idx)
  expect(list.changes).toBe(3)
  const decoded = await decodeStatusList(await list.encode())
  expect(decoded.ok && Array.from(decoded.value)).toEqual([1, 2, 128])
})
