/**
 * How every script begins: it names the life of the server it was written for, so that a restart, which forgets
 * scripts, and a failover, which has another life on record, are noticed before anything is read. Then the time: the
 * server's, and never before the latest that this shard was told (rule 6). `KEYS[1]` is the shard's `meta`.
 */
export const enter = `
local call = redis.call
local meta = call('HMGET', KEYS[1], 'life', 'era', 'clock', 'stops')
if meta[1] ~= LIFE then return 'REBORN' end
local era = meta[2]
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local mark = tonumber(meta[3])
if now > mark then call('HSET', KEYS[1], 'clock', now) else now = mark end
`

/** Whole numbers to 2^53 - 1 as text, every digit of them. */
export const digits = `
local function digits(number) return string.format('%.0f', number) end
`

/** Lets a key live to a time, and longer where it already does. */
export const keepUntil = `
local function keepUntil(key, time)
  if call('PEXPIRETIME', key) < time then call('PEXPIREAT', key, time) end
end
`

/** Whether something named is stopped. Asks nothing while nothing is. */
export const standing = `
local function stands(...)
  if meta[4] == '0' then return false end
  local found = call('HMGET', KEYS[1], ...)
  for index = 1, #found do if found[index] then return true end end
  return false
end
`

/** Why nothing is issued, in the words of the port. */
export const whyStopped = `
local function whyStopped(stops)
  if stands(stops.everything) then return 'stopped' end
  if stands(stops.agent, stops.owner) then return 'agent-revoked' end
  if stands(stops.version) then return 'stopped' end
  if stops.action and stands(stops.action) then return 'stopped' end
  return nil
end
`

/** What every key of this shard begins with. */
export const tag = `
local TAG = string.sub(KEYS[1], 1, -5)
`
