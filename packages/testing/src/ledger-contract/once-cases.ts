import assert from 'node:assert/strict'
import type { Case } from './scene.ts'
import { assertRefused } from './scene.ts'

export const onceCases: readonly Case[] = [
  {
    title: 'marks once, to the end of acceptance and the skew longer',
    async run(scene) {
      const until = (await scene.ledger.now()) + 60
      assert.equal(await scene.ledger.markOnce('assertion', until), 'first')
      assert.equal(await scene.ledger.markOnce('assertion', until), 'seen')
      assert.equal(await scene.ledger.markOnce('another', until), 'first')
      await scene.advance(64)
      assert.equal(await scene.ledger.markOnce('assertion', (await scene.ledger.now()) + 60), 'seen')
    },
  },
  {
    title: 'counts as seen what is over, and what has no end',
    async run(scene) {
      const now = await scene.ledger.now()
      for (const until of [now - 1, now, Number.NaN, Number.POSITIVE_INFINITY]) {
        assert.equal(await scene.ledger.markOnce('late', until), 'seen')
      }
    },
  },
  {
    title: 'marks one of many that come at once',
    async run(scene) {
      const until = (await scene.ledger.now()) + 60
      const marks = await Promise.all(Array.from({ length: 100 }, async () => scene.ledger.markOnce('same', until)))
      assert.equal(marks.filter((mark) => mark === 'first').length, 1)
    },
  },
  {
    title: 'binds an assertion to so many keys and no more',
    async run(scene) {
      const until = (await scene.ledger.now()) + 60
      const bind = async (assertion: string, jkt: string, maxKeys: number) =>
        scene.ledger.bindKey(assertion, jkt, { maxKeys, until })
      assert.deepEqual(await bind('a', 'key-1', 1), { ok: true, value: { keys: 1 } })
      assert.deepEqual(await bind('a', 'key-1', 1), { ok: true, value: { keys: 1 } })
      assertRefused(await bind('a', 'key-2', 1), 'too-many-keys')
      assert.deepEqual(await bind('a', 'key-2', 2), { ok: true, value: { keys: 2 } })
      assert.deepEqual(await bind('b', 'key-2', 1), { ok: true, value: { keys: 1 } })
      assertRefused(await bind('c', 'key-1', 0), 'too-many-keys')
      assertRefused(await bind('c', 'key-1', Number.NaN), 'too-many-keys')
    },
  },
  {
    title: 'remembers the keys of an assertion for as long as any of its bindings lasts',
    async run(scene) {
      const now = await scene.ledger.now()
      const bind = async (jkt: string, until: number) => scene.ledger.bindKey('a', jkt, { maxKeys: 2, until })
      assert.equal((await bind('key-1', now + 60)).ok, true)
      assert.equal((await bind('key-2', now + 300)).ok, true)
      await scene.advance(200)
      assertRefused(await bind('key-3', now + 300), 'too-many-keys')
    },
  },
  {
    title: 'binds nothing by an assertion that is over',
    async run(scene) {
      const until = await scene.ledger.now()
      assertRefused(await scene.ledger.bindKey('a', 'key-1', { maxKeys: 1, until }), 'token-expired')
    },
  },
]
