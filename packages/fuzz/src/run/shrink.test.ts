import { expect, test } from 'vitest'
import { shrink } from './shrink.ts'

test('shrink() keeps what matters and little else', async () => {
  const input = { text: `${'x'.repeat(500)}"needle"${'y'.repeat(300)}`, list: [1, 2, { note: 'long long text' }] }
  const small = await shrink(input, async (value) => JSON.stringify(value).includes('needle'))
  expect(small).toEqual({ text: 'needle', list: [] })
})

test('shrink() gives back what it cannot make smaller', async () => {
  expect(await shrink('ab', async () => false)).toBe('ab')
})

test('shrink() stops after so many tries', async () => {
  let tries = 0
  const small = await shrink('x'.repeat(10_000), async (value) => ((tries += 1), (value as string).length > 9990), 50)
  expect(tries).toBeLessThanOrEqual(50)
  expect((small as string).length).toBeGreaterThan(9990)
})
