/**
 * Reads which life the server is in, and makes it the life of this shard. A new life is a new era: what was opened in
 * an earlier one is refused from then on, because writes may have been lost between the two (rule 5).
 */
export const adopt = `
local call = redis.call
local ask = cjson.decode(ARGV[1])
local info = call('INFO', 'server') .. call('INFO', 'replication') .. call('INFO', 'memory')
local function value(name) return string.match(info, name .. ':([^\\r\\n]*)') or '' end
if value('role') ~= 'master' then return redis.error_reply('READONLY This server is a replica') end
-- A server that was ever promoted keeps the replication it came from, and up to where. Replicas of its own change nothing.
local from = value('second_repl_offset')
local life = ask.epoch .. '.' .. value('run_id') .. '.' .. (from == '-1' and '' or value('master_replid2') .. ':' .. from)
local known = call('HMGET', KEYS[1], 'life', 'era', 'epoch', 'shards', 'store', 'clock')
if known[4] and known[4] ~= ask.shards then return { 'shards', known[4] } end
if known[3] and tonumber(known[3]) > tonumber(ask.epoch) then return { 'epoch', known[3] } end
if known[1] ~= life then
  local time = call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local clock = tonumber(known[6] or '0')
  if now > clock then clock = now end
  -- The time it began: a number that no life of this shard had, also of those that were lost with their number.
  known[2] = string.format('%.0f', math.max(tonumber(known[2] or '0') + 1, now))
  known[5] = known[5] or ask.store
  call('HSET', KEYS[1], 'life', life, 'era', known[2], 'epoch', ask.epoch, 'shards', ask.shards,
    'store', known[5], 'clock', clock, 'born', clock)
  call('HSETNX', KEYS[1], 'stops', '0')
end
return { 'adopted', life, known[2], known[5], value('maxmemory_policy'), value('redis_version') }
`
