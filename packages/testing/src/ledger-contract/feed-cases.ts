import assert from 'node:assert/strict'
import type { Ledger, RevocationEntry, RevocationPage } from '@hallpass/core'
import type { Case, Scene } from './scene.ts'

type OfKind<K extends RevocationEntry['kind']> = Extract<RevocationEntry, { readonly kind: K }>

async function page(ledger: Ledger, after?: string, limit = 100): Promise<RevocationPage> {
  const read = await ledger.revocations(after === undefined ? { limit } : { after, limit })
  assert.ok(read.state === 'read', 'the cursor is gone')
  return read
}

/** Everything after a cursor, or from the start, and the cursor at its end. */
async function readAll(ledger: Ledger, after?: string, limit = 100) {
  const entries: RevocationEntry[] = []
  let from = after
  for (let reads = 0; reads < 1000; reads += 1) {
    const { entries: some, cursor, more, at } = await page(ledger, from, limit)
    entries.push(...some)
    from = cursor
    if (!more) return { entries, cursor, at }
  }
  return assert.fail('the log has no end')
}

const ofKind = <K extends RevocationEntry['kind']>(entries: readonly RevocationEntry[], kind: K) =>
  entries.filter((entry): entry is OfKind<K> => entry.kind === kind)

const jtis = (entries: readonly RevocationEntry[]) => ofKind(entries, 'grant').map(({ jti }) => jti)
const AGENT = { kind: 'agent', clientId: 'support-bot' } as const

async function manyGrants(scene: Scene, count: number) {
  const task = await scene.openTask()
  const grants = []
  for (let idx = 0; idx < count; idx += 1) {
    grants.push(await scene.register(task, { status: { uri: 'https://broker.example/status/1', idx } }))
  }
  return { task, grants }
}

const logCases: readonly Case[] = [
  {
    title: 'logs nothing for a dry run, for what was dead already, and for a task without living grants',
    async run(scene) {
      const { cursor } = await readAll(scene.ledger)
      const grant = await scene.grant()
      await scene.ledger.revoke({ kind: 'grant', jti: grant.jti }, 'what if', { dryRun: true })
      await scene.ledger.revoke({ kind: 'everything' }, 'what if', { dryRun: true })
      await scene.ledger.endTask((await scene.openTask()).txn, 'completed')
      assert.deepEqual((await readAll(scene.ledger, cursor)).entries, [])
      await scene.ledger.revoke({ kind: 'grant', jti: grant.jti }, 'leaked')
      await scene.ledger.revoke({ kind: 'grant', jti: grant.jti }, 'again')
      await scene.ledger.revoke({ kind: 'task', txn: grant.txn }, 'again')
      assert.deepEqual(jtis((await readAll(scene.ledger, cursor)).entries), [grant.jti])
    },
  },
  {
    title: 'logs a revoked grant with all that a verifier needs',
    async run(scene) {
      const { jti, txn, audience, status, exp } = await scene.grant()
      const before = await scene.ledger.now()
      await scene.ledger.revoke({ kind: 'grant', jti }, 'leaked')
      const { entries, at } = await readAll(scene.ledger)
      assert.equal(entries.length, 1)
      const [entry] = entries
      assert.ok(entry !== undefined && before <= entry.at && entry.at <= at)
      assert.deepEqual(entry, { kind: 'grant', at: entry.at, reason: 'leaked', jti, txn, audience, status, exp })
    },
  },
  {
    title: 'logs the living grants of a task that ends, and how it ended',
    async run(scene) {
      const { task, grants } = await manyGrants(scene, 3)
      const bystander = await scene.grant()
      await scene.ledger.endTask(task.txn, 'completed')
      const { entries } = await readAll(scene.ledger)
      assert.deepEqual(jtis(entries).toSorted(), grants.map(({ jti }) => jti).toSorted())
      assert.deepEqual([...new Set(ofKind(entries, 'grant').map(({ reason }) => reason))], ['completed'])
      assert.ok(!jtis(entries).includes(bystander.jti))
    },
  },
  {
    title: 'logs a wide revocation: the stop first, then each grant it reached',
    async run(scene) {
      const { grants } = await manyGrants(scene, 3)
      await scene.grant({ audience: 'https://stock.example' })
      await scene.ledger.revoke(AGENT, 'incident 7')
      const { entries } = await readAll(scene.ledger)
      assert.equal(entries[0]?.kind, 'stop')
      assert.ok(
        ofKind(entries, 'stop').every(({ target, reason }) => target.kind === 'agent' && reason === 'incident 7'),
      )
      assert.equal(new Set(jtis(entries)).size, 4)
      assert.ok(grants.every(({ jti }) => jtis(entries).includes(jti)))
    },
  },
  {
    title: 'logs what is lifted, with a cut-off that takes in the skew',
    async run(scene) {
      const { cursor } = await readAll(scene.ledger)
      assert.equal(await scene.ledger.resume(AGENT, 'nothing stands'), false)
      assert.deepEqual((await readAll(scene.ledger, cursor)).entries, [])
      await scene.ledger.revoke(AGENT, 'incident 7')
      await scene.ledger.resume(AGENT, 'over')
      const last = (await readAll(scene.ledger, cursor)).entries.at(-1)
      assert.ok(last?.kind === 'lift')
      assert.deepEqual([last.target, last.reason], [AGENT, 'over'])
      assert.ok(last.cutOff >= last.at + 5)
    },
  },
  {
    title: 'finds from the start what stands and what is dead, however long ago',
    async run(scene) {
      const everything = { kind: 'everything' } as const
      await scene.ledger.revoke(AGENT, 'incident 7')
      await scene.advance(5000)
      await scene.ledger.revoke(everything, 'incident 8')
      await scene.ledger.resume(everything, 'over')
      const other = await scene.openTask({ clientId: 'other-bot', owner: 'team:other' })
      const dead = await scene.register(other)
      await scene.ledger.revoke({ kind: 'grant', jti: dead.jti }, 'leaked')
      const { entries } = await readAll(scene.ledger)
      const standing = new Set<string>()
      for (const entry of entries) {
        if (entry.kind === 'stop') standing.add(entry.target.kind)
        if (entry.kind === 'lift') standing.delete(entry.target.kind)
      }
      assert.deepEqual([...standing], ['agent'])
      assert.deepEqual(jtis(entries), [dead.jti])
    },
  },
  {
    title: 'keeps a dead grant on the log until it has expired on every clock',
    async run(scene) {
      const grant = await scene.grant()
      await scene.ledger.revoke({ kind: 'grant', jti: grant.jti }, 'leaked')
      await scene.advance(60 + 4)
      assert.deepEqual(jtis((await readAll(scene.ledger)).entries), [grant.jti])
    },
  },
]

const readingCases: readonly Case[] = [
  {
    title: 'reads on from a cursor: every line once, in pages of any size',
    async run(scene) {
      const { grants } = await manyGrants(scene, 7)
      for (const { jti } of grants) await scene.ledger.revoke({ kind: 'grant', jti }, 'leaked')
      const whole = jtis((await readAll(scene.ledger)).entries)
      assert.deepEqual(
        whole,
        grants.map(({ jti }) => jti),
      )
      assert.deepEqual(jtis((await readAll(scene.ledger, undefined, 1)).entries), whole)
      const first = await page(scene.ledger, undefined, 3)
      assert.deepEqual([first.entries.length, first.more], [3, true])
      assert.deepEqual(jtis((await readAll(scene.ledger, first.cursor, 2)).entries), whole.slice(3))
      const end = await readAll(scene.ledger)
      assert.deepEqual(await readAll(scene.ledger, end.cursor), { ...end, entries: [] })
    },
  },
  {
    title: 'has a cursor before anything happened',
    async run(scene) {
      const { entries, cursor } = await readAll(scene.ledger)
      assert.deepEqual(entries, [])
      const grant = await scene.grant()
      await scene.ledger.revoke({ kind: 'grant', jti: grant.jti }, 'leaked')
      assert.deepEqual(jtis((await readAll(scene.ledger, cursor)).entries), [grant.jti])
    },
  },
  {
    title: 'says gone to a cursor that is none of its own',
    async run(scene) {
      const { cursor } = await readAll(scene.ledger)
      for (const after of ['', '0', 'nonsense', '../../x', `${cursor}x`, `x${cursor}`, `another.${cursor}`]) {
        assert.deepEqual(await scene.ledger.revocations({ after, limit: 10 }), { state: 'gone' }, after)
      }
    },
  },
  {
    title: 'loses no line to a reader that follows while many kill at once',
    async run(scene) {
      const { task, grants } = await manyGrants(scene, 40)
      const seen = new Set<string>()
      let done = false
      const follow = async () => {
        let cursor: string | undefined
        for (let last = false; !last;) {
          last = done
          const read = await readAll(scene.ledger, cursor, 5)
          for (const jti of jtis(read.entries)) seen.add(jti)
          cursor = read.cursor
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      const following = follow()
      const half = grants.slice(0, 20).map(async ({ jti }) => scene.ledger.revoke({ kind: 'grant', jti }, 'leaked'))
      await Promise.all([...half, scene.ledger.endTask(task.txn, 'cancelled')])
      done = true
      await following
      assert.deepEqual([...seen].toSorted(), grants.map(({ jti }) => jti).toSorted())
    },
  },
  {
    title: 'wakes who watches, where it can, until they have enough',
    async run(scene) {
      const { ledger } = scene
      if (ledger.watch === undefined) return
      let wakes = 0
      let woken: () => void = () => undefined
      const once = () => new Promise<void>((resolve) => (woken = resolve))
      const end = ledger.watch(() => {
        wakes += 1
        woken()
      })
      const grant = await scene.grant()
      const waiting = once()
      await ledger.revoke({ kind: 'grant', jti: grant.jti }, 'leaked')
      await waiting
      assert.ok(wakes > 0)
      end()
      const before = wakes
      await ledger.endTask(grant.txn, 'completed')
      assert.equal(wakes, before)
    },
  },
]

const statusCases: readonly Case[] = [
  {
    title: 'gives every status index of a series once, to however many take at once',
    async run(scene) {
      const { ledger } = scene
      const series = { name: 'a', until: Math.ceil(await ledger.now()) + 900 }
      assert.equal(await ledger.reserveStatus(series, 0), 0)
      assert.equal(await ledger.reserveStatus(series, 8), 0)
      const firsts = await Promise.all(Array.from({ length: 20 }, async () => ledger.reserveStatus(series, 8)))
      assert.deepEqual(
        firsts.toSorted((a, b) => a - b),
        Array.from({ length: 20 }, (_, block) => 8 * (block + 1)),
      )
      assert.equal(await ledger.reserveStatus(series, 0), 168)
      assert.equal(await ledger.reserveStatus(series, 0), 168)
    },
  },
  {
    title: 'counts the status indexes of each series apart, until it is over',
    async run(scene) {
      const { ledger } = scene
      const now = Math.ceil(await ledger.now())
      assert.equal(await ledger.reserveStatus({ name: 'a', until: now + 900 }, 1024), 0)
      assert.equal(await ledger.reserveStatus({ name: 'b', until: now + 900 }, 1024), 0)
      assert.equal(await ledger.reserveStatus({ name: 'a', until: now + 900 }, 1024), 1024)
      await scene.advance(890)
      assert.equal(await ledger.reserveStatus({ name: 'a', until: now + 900 }, 0), 2048)
    },
  },
]

/** The log of revocations, and the status indexes that brokers share. */
export const feedCases: readonly Case[] = [...logCases, ...readingCases, ...statusCases]
