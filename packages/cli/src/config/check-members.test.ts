import { describe, expect, test } from 'vitest'
import { checkMembers } from './check-members.ts'

describe('checkMembers()', () => {
  test('checkMembers() takes what the broker, its trail and its address take', () => {
    const config = {
      issuer: 'https://broker.example',
      trail: { path: 'audit.jsonl', durable: 'each', maxBufferedEvents: 100 },
      listen: { port: 1, drainSeconds: 6 },
      feed: { heartbeatSeconds: 0.5, maxSubscribers: 10 },
      receivers: [{ audience: 'https://siem.example', url: 'https://siem.example/events' }],
      rates: { perCaller: 'unlimited' },
    }
    expect(() => checkMembers(config)).not.toThrow()
    expect(() => checkMembers({ trail: 'audit.jsonl', listen: undefined, feed: undefined })).not.toThrow()
  })

  test.each([
    [{ recievers: [] }, 'recievers is no option'],
    [{ clock: () => 0 }, 'clock is no option'],
    [{ audit: {} }, 'audit is no option'],
    [{ feed: { heartbeat: 1 } }, 'feed.heartbeat is no option'],
    [{ rates: { perAgent: {} } }, 'rates.perAgent is no option'],
    [{ listen: { drain: 1 } }, 'listen.drain is no option'],
    [{ trail: { file: 'x' } }, 'trail.file is no option'],
    [{ toString: 1, constructor: 2 }, 'is no option'],
  ])('checkMembers() names the member of %j that means nothing', (config, words) => {
    expect(() => checkMembers(config)).toThrow(words)
  })
})
