import { describe, expect, test } from 'vitest'
import { Wakes } from './wakes.ts'

function wakesUnderTest(notifies: () => Promise<unknown> = async () => undefined) {
  const sent: string[] = []
  const listening: ((payload: string | undefined) => void)[] = []
  let begun = 0
  const wakes = new Wakes({
    channel: 'hallpass.revocations',
    listen: (channel, heard) => {
      begun += 1
      expect(channel).toBe('hallpass.revocations')
      listening.push(heard)
      return () => void listening.splice(listening.indexOf(heard), 1)
    },
    notify: async (_channel, payload) => {
      sent.push(payload)
      return notifies()
    },
  })
  const hear = (payload?: string) => listening.forEach((heard) => heard(payload))
  return { wakes, sent, hear, listening, begun: () => begun }
}

describe('Wakes', () => {
  test('wakes who waits here at once, and sends one notification', () => {
    const { wakes, sent } = wakesUnderTest()
    let woken = 0
    wakes.watch(() => (woken += 1))
    wakes.wake()
    expect([woken, sent.length]).toEqual([1, 1])
  })

  test('wakes for what another process tells and when it begins to listen, not for what this one told', () => {
    const { wakes, sent, hear } = wakesUnderTest()
    let woken = 0
    wakes.watch(() => (woken += 1))
    hear()
    hear('another')
    expect(woken).toBe(2)
    wakes.wake()
    hear(sent[0])
    expect(woken).toBe(3)
  })

  test('sends one at a time, and one for all that happens meanwhile', async () => {
    const answers: (() => void)[] = []
    const { wakes, sent } = wakesUnderTest(() => new Promise<void>((resolve) => answers.push(resolve)))
    for (let n = 0; n < 5; n += 1) wakes.wake()
    expect(sent.length).toBe(1)
    answers[0]?.()
    await new Promise((resolve) => setImmediate(resolve))
    expect(sent.length).toBe(2)
    answers[1]?.()
    await new Promise((resolve) => setImmediate(resolve))
    expect(sent.length).toBe(2)
    wakes.wake()
    expect(sent.length).toBe(3)
  })

  test('goes on when a notification cannot be sent', async () => {
    const { wakes, sent } = wakesUnderTest(() => Promise.reject(new Error('down')))
    wakes.wake()
    await new Promise((resolve) => setImmediate(resolve))
    wakes.wake()
    expect(sent.length).toBe(2)
  })

  test('listens while somebody watches, once for all of them', () => {
    const { wakes, listening, begun } = wakesUnderTest()
    expect(listening.length).toBe(0)
    const [first, second] = [wakes.watch(() => undefined), wakes.watch(() => undefined)]
    expect([listening.length, begun()]).toEqual([1, 1])
    first()
    first()
    expect(listening.length).toBe(1)
    second()
    expect(listening.length).toBe(0)
    wakes.watch(() => undefined)()
    expect([listening.length, begun()]).toEqual([0, 2])
  })
})
