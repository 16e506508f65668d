import { digits, enter } from './enter.ts'

/** Insert-if-absent. KEYS: meta, mark. ARGV: end of acceptance (ms), the name of this call. */
export const markOnce = `${enter}${digits}
local till = tonumber(ARGV[1])
if now >= till then return 'seen' end
local by = call('SET', KEYS[2], ARGV[2], 'NX', 'GET', 'PXAT', digits(till + SKEW))
return (not by or by == ARGV[2]) and 'first' or 'seen'
`

/** Notes that an assertion binds a key. KEYS: meta, binding. ARGV: end (ms), key, most keys. */
export const bindKey = `${enter}${digits}
local till, most = tonumber(ARGV[1]), tonumber(ARGV[3])
if now >= till then return 'N token-expired' end
local keys = call('SCARD', KEYS[2])
if call('SISMEMBER', KEYS[2], ARGV[2]) == 1 then return 'Y ' .. keys end
if not most or not (keys < most) then return 'N too-many-keys' end
call('SADD', KEYS[2], ARGV[2])
if call('PEXPIRETIME', KEYS[2]) < till + SKEW then call('PEXPIREAT', KEYS[2], digits(till + SKEW)) end
return 'Y ' .. (keys + 1)
`

/** Takes status indexes of a series. KEYS: meta, series. ARGV: how many, end (ms). */
export const reserveStatus = `${enter}${digits}
local size = tonumber(ARGV[1])
if size == 0 then return tonumber(call('GET', KEYS[2]) or '0') end
local taken = call('INCRBY', KEYS[2], ARGV[1])
local till = math.max(tonumber(ARGV[2]), now + 60000)
if call('PEXPIRETIME', KEYS[2]) < till then call('PEXPIREAT', KEYS[2], digits(till)) end
return taken - size
`

/** The time. KEYS: meta. */
export const readClock = `${enter}${digits}
return digits(now)
`

/** Live sizes. KEYS: meta, tasks, grants, uses, log. */
export const sizes = `${enter}
return { call('ZCARD', KEYS[2]), call('ZCARD', KEYS[3]), call('LLEN', KEYS[4]), call('ZCARD', KEYS[5]), tonumber(meta[4]) }
`
