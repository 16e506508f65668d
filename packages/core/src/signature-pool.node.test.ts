import { describe, expect, test } from 'vitest'
import { signer } from '../test/signer.ts'
import { valueOf } from '../test/value-of.ts'
import { importVerifyKey, pooledSignatureCheck } from './crypto.node.ts'
import { isPromise } from './result.ts'

const { jwk, signature } = signer('ES256')
const good = Buffer.from(signature('a.b'), 'base64url')
const key = valueOf(await importVerifyKey(jwk, 'ES256'))
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

const settled = (answers: readonly (boolean | Promise<boolean>)[]) => Promise.all(answers.map(async (answer) => answer))

/** Which of this many checks in one turn were sent away. */
function sentAway(check: ReturnType<typeof pooledSignatureCheck>, count: number) {
  const answers = Array.from({ length: count }, () => check(key, 'a.b', good))
  return { answers, away: answers.map((answer) => isPromise(answer)) }
}

describe('pooledSignatureCheck()', () => {
  test('keeps the first checks of a turn and sends the rest away', async () => {
    const { answers, away } = sentAway(pooledSignatureCheck(), 4)
    expect(away).toEqual([false, false, true, true])
    expect(await settled(answers)).toEqual([true, true, true, true])
  })

  test('keeps them again once the turn is over and nothing is away', async () => {
    const check = pooledSignatureCheck()
    await settled(sentAway(check, 4).answers)
    await nextTurn()
    expect(sentAway(check, 1).away).toEqual([false])
  })

  test('sends the first away too while others are', async () => {
    const check = pooledSignatureCheck({ atOncePerTurn: 1 })
    const first = sentAway(check, 2)
    await Promise.resolve()
    expect(sentAway(check, 1).away).toEqual([true])
    await settled(first.answers)
  })

  test('keeps what would be one too many away: a flood is slowed down, not queued', async () => {
    const { answers, away } = sentAway(pooledSignatureCheck({ atOncePerTurn: 0, mostAway: 3 }), 6)
    expect(away).toEqual([true, true, true, false, false, false])
    expect(await settled(answers)).toEqual([true, true, true, true, true, true])
  })

  test('has the place of each back, whatever came of it', async () => {
    const check = pooledSignatureCheck({ atOncePerTurn: 0, mostAway: 2 })
    const forged = Buffer.alloc(64, 1)
    for (let round = 0; round < 5; round += 1) {
      const answers = [check(key, 'a.b', forged), check(key, 'a.b', good)]
      expect(answers.map((answer) => isPromise(answer))).toEqual([true, true])
      expect(await settled(answers)).toEqual([false, true])
    }
  })

  test('checks the bytes it was given, not what became of them meanwhile', async () => {
    const check = pooledSignatureCheck({ atOncePerTurn: 0 })
    const bytes = Buffer.from(good)
    const honest = check(key, 'a.b', bytes)
    bytes.fill(0)
    const zeros = Buffer.alloc(64)
    const forged = check(key, 'a.b', zeros)
    zeros.set(good)
    expect([await honest, await forged]).toEqual([true, false])
  })
})
