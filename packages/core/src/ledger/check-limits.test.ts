import { describe, expect, test } from 'vitest'
import type { Limit } from '../grant/entry.ts'
import { capsOwnCalls, checkLimits } from './check-limits.ts'

const SCOPES = ['grant', 'task', 'agent'] as const
const calls: Limit = { id: 'calls', per: 'grant', max: 5 }
const sum: Limit = { id: 'sum', per: 'task', max: 900, parameter: 'amount', scale: 2, unit: 'EUR' }
const hour: Limit = { id: 'hour', per: 'agent', max: 5, window_seconds: 3600 }
const broken = (limit: object): Limit => ({ ...calls, ...limit })

describe('checkLimits()', () => {
  test.each<{ name: string; limits: readonly Limit[] }>([
    { name: 'none', limits: [] },
    { name: 'one of each kind', limits: [calls, sum, hour] },
    { name: 'a cap of nothing', limits: [{ ...calls, max: 0 }] },
    { name: 'the highest cap', limits: [{ ...calls, max: Number.MAX_SAFE_INTEGER }] },
    { name: 'a scale of 0', limits: [{ ...sum, scale: 0 }] },
    { name: 'a window of one second', limits: [{ ...hour, window_seconds: 1 }] },
    { name: 'one name in two scopes', limits: [calls, { ...calls, per: 'task' }] },
    { name: 'one name in two windows', limits: [hour, { ...hour, window_seconds: 60 }] },
    { name: 'two totals of one parameter', limits: [sum, { ...sum, id: 'other', per: 'grant' }] },
    { name: 'two parameters of other scales', limits: [sum, { ...sum, id: 'n', parameter: 'n', scale: 0 }] },
    {
      name: 'a parameter with scale 0 and one that says none',
      limits: [
        { ...sum, scale: 0 },
        { id: 'other', per: 'grant', max: 1, parameter: 'amount' },
      ],
    },
  ])('takes $name', ({ limits }) => {
    expect(checkLimits(limits, SCOPES)).toBeUndefined()
  })

  test.each<{ name: string; limits: readonly Limit[]; detail: RegExp }>([
    { name: 'no id', limits: [broken({ id: undefined })], detail: /id is missing/ },
    { name: 'an empty id', limits: [broken({ id: '' })], detail: /id is missing/ },
    { name: 'an id that is no text', limits: [broken({ id: 1 })], detail: /id is missing/ },
    { name: 'another scope', limits: [broken({ per: 'owner' })], detail: /per owner/ },
    { name: 'no scope', limits: [broken({ per: undefined })], detail: /per undefined/ },
    ...[-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '5', null, undefined].map((max) => ({
      name: `${JSON.stringify(max)} (${String(max)}) as cap`,
      limits: [broken({ max })],
      detail: /max is not/,
    })),
    ...[-1, 0.5, 2 ** 53, '2', null].map((scale) => ({
      name: `${JSON.stringify(scale)} as scale`,
      limits: [{ ...sum, scale } as Limit],
      detail: /scale is not/,
    })),
    { name: 'a scale of calls', limits: [broken({ scale: 0 })], detail: /belong to a parameter/ },
    { name: 'a unit of calls', limits: [broken({ unit: 'EUR' })], detail: /belong to a parameter/ },
    ...[undefined, 0, -1, 0.5, '60', Number.NaN].map((window) => ({
      name: `the window ${String(window)} of an agent`,
      limits: [{ ...hour, window_seconds: window } as Limit],
      detail: /needs window_seconds/,
    })),
    { name: 'a window of a grant', limits: [broken({ window_seconds: 60 })], detail: /belongs to per agent/ },
    { name: 'a window of a task', limits: [{ ...sum, window_seconds: 60 }], detail: /belongs to per agent/ },
    { name: 'one counter twice', limits: [calls, { ...calls, max: 9 }], detail: /named twice/ },
    { name: 'one counter twice, another between', limits: [calls, sum, calls], detail: /named twice/ },
    { name: 'one window twice', limits: [hour, { ...hour, max: 9 }], detail: /named twice/ },
    { name: 'one parameter in two scales', limits: [sum, { ...sum, id: 'other', scale: 3 }], detail: /another way/ },
    {
      name: 'one parameter in two scales, another between',
      limits: [sum, calls, { ...sum, id: 'other', scale: 3 }],
      detail: /another way/,
    },
    { name: 'a bad one behind good ones', limits: [calls, sum, broken({ id: 'x', max: -1 })], detail: /Limit x: max/ },
  ])('refuses $name', ({ limits, detail }) => {
    expect(checkLimits(limits, SCOPES)).toMatchObject({
      ok: false,
      reason: 'details-invalid',
      detail: expect.stringMatching(detail) as string,
    })
  })

  test('refuses a scope this ledger does not hold', () => {
    expect(checkLimits([calls, sum], ['grant'])).toMatchObject({ reason: 'details-invalid' })
    expect(checkLimits([calls], ['grant'])).toBeUndefined()
  })
})

describe('capsOwnCalls()', () => {
  test.each<[string, readonly Limit[], boolean]>([
    ['none', [], false],
    ["the grant's calls", [calls], true],
    ["the grant's calls, last", [sum, hour, calls], true],
    ["the task's calls", [{ ...calls, per: 'task' }], false],
    ["a total of the grant's", [{ ...sum, per: 'grant' }], false],
  ])('says of %s: %s', (_name, limits, caps) => {
    expect(capsOwnCalls(limits)).toBe(caps)
  })
})
