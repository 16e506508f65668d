import { describe, expect, it } from 'vitest'
import { ledgerSettings } from './redis-ledger-options.ts'

const answer = async (): Promise<unknown> => 0
const client = { evalsha: answer, eval: answer }

describe('ledgerSettings()', () => {
  it('spreads over one shard, and over 16 on a cluster', () => {
    expect(ledgerSettings({ client })).toMatchObject({ shards: 1, prefix: 'hp', epoch: 0, timeoutMs: 2000 })
    expect(ledgerSettings({ client: { ...client, isCluster: true } }).shards).toBe(16)
  })

  it.each([
    ['no client', { client: undefined }],
    ['a client of something else', { client: { query: () => 0 } }],
    ['a node-redis client that is not connected', { client: { evalSha: answer, eval: answer, isOpen: false } }],
    ['an unknown option', { client, shard: 4 }],
    ['no shards', { client, shards: 0 }],
    ['too many shards', { client, shards: 257 }],
    ['part of a shard', { client, shards: 1.5 }],
    ['more skew than a proof allows', { client, maxSkewSeconds: 31 }],
    ['a lease without end', { client, leaseSeconds: Number.POSITIVE_INFINITY }],
    ['no time at all', { client, timeoutMs: 0 }],
    ['a negative epoch', { client, epoch: -1 }],
    ['a prefix with a brace', { client, prefix: 'a}b' }],
    ['an empty prefix', { client, prefix: '' }],
  ])('refuses %s', (_what, options) => {
    expect(() => ledgerSettings(options as never)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })
})
