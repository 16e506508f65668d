import { describe, expect, test } from 'vitest'
import { keyPair } from '../test/holder.ts'
import { rig } from '../test/rig.ts'

/** Every part of a token or proof that would be worth something to a reader. */
const partsOf = (jwt: string): string[] => jwt.split('.').filter((part) => part.length > 20)

describe('the broker keeps secrets', () => {
  test('no answer, no event and no error carries a token, an assertion, a proof, a key or a parameter value', async () => {
    const made = rig()
    const pair = keyPair()
    const seen: string[] = []
    const note = (answer: Awaited<ReturnType<typeof made.post>>) => {
      seen.push(JSON.stringify(answer.body))
      return answer
    }
    const form = made.taskForm({ note: 'visible' })
    const task = (await made.post('/token', form, pair)).body
    const grant = (
      await made.exchange(pair, task.access_token, { parameters: { amount: '41.17', reason: 'private-words' } })
    ).body
    const ask = { parameters: { amount: '61.17', reason: 'private-words' } }
    note(await made.exchange(pair, task.access_token, ask))
    note(await made.exchange(keyPair(), task.access_token, ask))
    note(await made.post('/token', form, keyPair()))
    note(await made.post('/token', { ...form, client_assertion: `${form['client_assertion']}x` }, pair))
    note(await made.post('/token', { ...made.callForm(grant.access_token, ask) }, pair))
    note(await made.post('/revoke', { token: task.access_token, reason: 'completed' }, pair))
    note(await made.exchange(pair, task.access_token, ask))
    await made.broker.close()
    const text = [...seen, ...made.trail.lines()].join('\n')
    const secrets = [task.access_token, grant.access_token, form['client_assertion'] ?? ''].flatMap(partsOf)
    for (const secret of [...secrets, '41.17', '61.17', 'private-words']) expect(text).not.toContain(secret)
    expect(text).toContain('visible')
  })
})
