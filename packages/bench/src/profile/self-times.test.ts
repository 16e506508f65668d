import type { Profiler } from 'node:inspector'
import { expect, test } from 'vitest'
import { selfTimes } from './self-times.ts'

type Shape = readonly [id: number, functionName: string, hitCount: number, children?: number[]]

const node = ([id, functionName, hitCount, children = []]: Shape): Profiler.ProfileNode => ({
  id,
  callFrame: { functionName, scriptId: '1', url: 'file:///somewhere/a.js', lineNumber: 6, columnNumber: 0 },
  hitCount,
  children,
})

test('selfTimes() adds up a function wherever it was called, and leaves out what made the inputs', () => {
  const nodes = [
    node([1, '(root)', 0, [2, 3, 6]]),
    node([2, 'verify', 20, [4]]),
    node([3, 'preparing', 5, [5]]),
    node([4, 'scan', 30]),
    node([5, 'scan', 1000]),
    node([6, 'settle', 40, [7]]),
    node([7, 'scan', 10]),
  ]
  expect(selfTimes({ nodes, startTime: 0, endTime: 1 }, 'preparing')).toEqual([
    { name: 'scan', where: 'a.js:7', share: 0.4 },
    { name: 'settle', where: 'a.js:7', share: 0.4 },
    { name: 'verify', where: 'a.js:7', share: 0.2 },
    { name: '(root)', where: 'a.js:7', share: 0 },
  ])
})

test('selfTimes() of nothing is nothing', () =>
  expect(selfTimes({ nodes: [], startTime: 0, endTime: 0 }, 'preparing')).toEqual([]))
