import assert from 'node:assert/strict'
import { signJws, testKey, type TestKey } from '../key/test-key.ts'
import type { FeedCase } from './feed-case.ts'
import { kill, twoGrants } from './feed-case.ts'
import { FIRST, SECOND } from './feed-stage.ts'

interface Run {
  readonly dead: readonly unknown[]
}
interface Claims {
  readonly iss: string
  readonly aud: string
  readonly events: Readonly<Record<string, Run>>
}

const partOf = (message: string, part: number): string =>
  Buffer.from(/data: (\S+)/.exec(message)?.[1]?.split('.')[part] ?? '', 'base64url').toString()
const claimsOf = (message: string) => JSON.parse(partOf(message, 1)) as Claims
const carriesDead = (message: string): boolean =>
  Object.values(claimsOf(message).events).some(({ dead }) => dead.length > 0)
const untouched = (message: string): readonly string[] => [message]

/** Says that nobody died, in whatever way it is asked to lie. */
function lie(message: string, changes: { readonly key: TestKey; readonly claims?: object; readonly header?: object }) {
  const { events, ...claims } = claimsOf(message)
  const quiet = Object.fromEntries(Object.entries(events).map(([type, run]) => [type, { ...run, dead: [] }]))
  const header = { ...(JSON.parse(partOf(message, 0)) as { typ: string; alg: string }), ...changes.header }
  const token = signJws(header, { ...claims, events: quiet, ...changes.claims }, changes.key.privateKey)
  return `event: revocations\ndata: ${token}`
}

const forgeries: Readonly<Record<string, (message: string, own: TestKey) => string>> = {
  'signed by a stranger': (message) => lie(message, { key: testKey() }),
  'for another audience': (message, key) => lie(message, { key, claims: { aud: 'https://stock.test' } }),
  'by another issuer': (message, key) => lie(message, { key, claims: { iss: 'https://evil.test' } }),
  'of another type': (message, key) => lie(message, { key, header: { typ: 'at+jwt' } }),
  'from the future': (message, key) => lie(message, { key, claims: { iat: Date.now() / 1000 + 60 } }),
}

/** Whatever happens to messages between broker and verifier, nothing dead is admitted for longer than the bound. */
export const wireCases: readonly FeedCase[] = [
  {
    title: 'a message that is lost is asked for again',
    async run(stage) {
      const [dead, alive] = await twoGrants(stage)
      const verifier = await stage.serving()
      let lost = 0
      stage.wire = (message) => {
        if (lost > 0 || !carriesDead(message)) return [message]
        lost += 1
        return []
      }
      await kill(stage, FIRST, dead)
      await verifier.until(dead, 'grant-revoked')
      await verifier.until(alive, 'admitted')
      assert.equal(lost, 1)
    },
  },
  {
    title: 'messages that come twice, and in another order',
    async run(stage) {
      const [dead, alive] = await twoGrants(stage)
      const others = await stage.grants(6)
      const verifier = await stage.serving()
      const held: string[] = []
      let swaps = 0
      stage.wire = (message) => {
        if (held.length === 0 && swaps < 3 && carriesDead(message)) {
          swaps += 1
          held.push(message)
          return []
        }
        return [message, ...held.splice(0), message]
      }
      for (const [n, grant] of [dead, ...others].entries()) await kill(stage, n % 2 === 0 ? FIRST : SECOND, grant)
      for (const grant of [dead, ...others]) await verifier.until(grant, 'grant-revoked')
      await verifier.until(alive, 'admitted')
      assert.ok(swaps > 0)
    },
  },
  ...Object.entries(forgeries).map(
    ([how, forged]) =>
      ({
        title: `a message that says that all is well, ${how}, in place of each true one`,
        async run(stage) {
          const [dead, alive] = await twoGrants(stage)
          const verifier = await stage.serving({ maxStalenessSeconds: 1 })
          stage.wire = (message) => [forged(message, stage.brokerKey)]
          await kill(stage, FIRST, dead)
          await verifier.until(dead, 'status-stale')
          stage.wire = untouched
          await verifier.until(dead, 'grant-revoked')
          await verifier.until(alive, 'admitted')
        },
      }) satisfies FeedCase,
  ),
  {
    title: 'an old state, replayed for ever: what is dead stays dead, and what is known grows old',
    async run(stage) {
      const [dead, alive] = await twoGrants(stage)
      const old: string[] = []
      stage.wire = (message) => [(old.push(message), message)]
      const verifier = await stage.serving({ maxStalenessSeconds: 1 })
      stage.wire = untouched
      await kill(stage, FIRST, dead)
      await verifier.until(dead, 'grant-revoked')
      stage.wire = () => [old[0] ?? '']
      await verifier.until(alive, 'status-stale')
      assert.equal(await verifier.ask(dead), 'grant-revoked')
      stage.wire = untouched
      await verifier.until(alive, 'admitted')
      assert.equal(await verifier.ask(dead), 'grant-revoked')
    },
  },
]
