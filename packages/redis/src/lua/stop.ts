import { digits, enter, tag } from './enter.ts'
import { logLine } from './log.ts'

/** Stops issuing, and every use, for a target in this shard. KEYS: meta, log. ARGV: its name, its log line without the time. */
export const stop = `${enter}${tag}${digits}${logLine}
local name = 'stop:' .. ARGV[1]
if call('HEXISTS', KEYS[1], name) == 1 then return 'N' end
local line = '{"kind":"stop","at":' .. digits(now) .. ',' .. ARGV[2] .. '}'
call('HSET', KEYS[1], name, line)
call('HINCRBY', KEYS[1], 'stops', 1)
logLine(line)
call('PUBLISH', WAKE, '')
return 'Y'
`

/** Lets it go on. KEYS and ARGV as above; the cut-off takes in the skew. */
export const lift = `${enter}${tag}${digits}${logLine}
if call('HDEL', KEYS[1], 'stop:' .. ARGV[1]) == 0 then return 'N' end
call('HINCRBY', KEYS[1], 'stops', -1)
logLine('{"kind":"lift","at":' .. digits(now) .. ',"cutOff":' .. digits(now + SKEW) .. ',' .. ARGV[2] .. '}')
call('PUBLISH', WAKE, '')
return 'Y'
`

/** Keeps what a wide revocation is about to do until it is done. KEYS: meta, intents. ARGV: target, intent as JSON. */
export const intend = `${enter}${digits}
local known = call('HGET', KEYS[2], ARGV[1])
if known then return { known, digits(now) } end
call('HSET', KEYS[2], ARGV[1], ARGV[2])
return { ARGV[2], digits(now) }
`

/** KEYS: meta, intents. */
export const intents = `${enter}${digits}
return { digits(now), call('HGETALL', KEYS[2]) }
`

/** KEYS: meta, intents. ARGV: target. */
export const fulfil = `${enter}
return call('HDEL', KEYS[2], ARGV[1])
`
