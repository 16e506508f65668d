import { describe, expect, it } from 'vitest'
import { troubleOf } from './trouble.ts'

describe('troubleOf()', () => {
  it.each([
    ['NOSCRIPT No matching script. Please use EVAL.', 'unloaded'],
    ["OOM command not allowed when used memory > 'maxmemory'. script: abc, on @user_script:1.", 'full'],
    ['READONLY You can’t write against a read only replica.', 'cut'],
    ['LOADING Redis is loading the dataset in memory', 'cut'],
    ['CLUSTERDOWN The cluster is down', 'cut'],
    ['TRYAGAIN Multiple keys request during rehashing of slot', 'cut'],
    ['Connection is closed.', 'cut'],
    ['Socket closed unexpectedly', 'cut'],
    ['read ECONNRESET', 'cut'],
    ['MISCONF Redis is configured to save RDB snapshots, but it’s currently unable to persist', 'refused'],
    ['NOPERM this user has no permissions to run the evalsha command', 'refused'],
    ['ERR user_script:1: attempt to index a nil value', 'refused'],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'refused'],
  ] as const)('tells of "%s" that it is %s', (message, trouble) => {
    expect(troubleOf(new Error(message))).toBe(trouble)
  })
})
