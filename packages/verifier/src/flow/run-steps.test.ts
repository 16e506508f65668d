import { refuse } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import type { Attempt, Step } from './attempt.ts'
import { runSteps } from './run-steps.ts'

const attempt = (): Attempt => ({ now: 0, clock: () => 7 }) as Attempt
const missing = undefined as unknown as Step

describe('runSteps()', () => {
  test('lets through what no step refuses, with the clock read again after a wait', async () => {
    const one = attempt()
    expect(await runSteps([() => undefined, async () => undefined], one)).toBeUndefined()
    expect(one.now).toBe(7)
  })

  test.each<[string, readonly Step[], string]>([
    ['a step that refuses', [() => refuse('token-expired')], 'token-expired'],
    ['a step that refuses later', [async () => refuse('token-expired')], 'token-expired'],
    [
      'a step that throws',
      [
        () => {
          throw new Error('broken')
        },
      ],
      'internal',
    ],
    [
      'a step that rejects',
      [
        async () => {
          throw new Error('broken')
        },
      ],
      'internal',
    ],
    ['a step that is not there', [missing], 'internal'],
    ['one that is not there behind a wait', [async () => undefined, missing], 'internal'],
  ])('refuses with %s', async (_name, steps, reason) => {
    expect(await runSteps(steps, attempt())).toMatchObject({ ok: false, reason })
  })
})
