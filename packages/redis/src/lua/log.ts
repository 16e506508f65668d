import { digits, enter } from './enter.ts'

/** Puts a line on the log of revocations, in the step that made it true. A line begins with its time and place. */
export const logLine = `
local function logLine(line)
  local seq = digits(call('HINCRBY', KEYS[1], 'seq', 1))
  call('ZADD', TAG .. 'log', seq, digits(now) .. ':' .. seq .. ':' .. line)
  call('PEXPIREAT', TAG .. 'log', digits(now + UNSWEPT))
end
`

/** Forgets lines that say nothing any more. A reader from before them starts over. */
const forgetLines = `
for _ = 1, 20 do
  local old = call('ZRANGE', KEYS[2], 0, 99)
  local gone = nil
  for _, line in ipairs(old) do
    local at, seq = string.match(line, '^(%d+):(%d+):')
    if tonumber(at) + LOGGED > now then break end
    gone = seq
  end
  if not gone then break end
  call('ZREMRANGEBYSCORE', KEYS[2], '-inf', gone)
  call('HSET', KEYS[1], 'log-from', gone)
end
`

/**
 * Lines after a place. KEYS: meta, log. ARGV: the place or nothing, how many. Answers the time of the read, the last
 * place there is, whether the place is gone, what stands (from the start only), and the lines.
 */
export const readLog = `${enter}${digits}${forgetLines}
local last, from = tonumber(call('HGET', KEYS[1], 'seq') or '0'), tonumber(call('HGET', KEYS[1], 'log-from') or '0')
local after = tonumber(ARGV[1])
local stops = {}
if not after then
  after = from
  if meta[4] ~= '0' then
    local all = call('HGETALL', KEYS[1])
    for index = 1, #all, 2 do
      if string.sub(all[index], 1, 5) == 'stop:' then stops[#stops + 1] = all[index + 1] end
    end
  end
elseif after > last or after < from then
  return { digits(now), digits(last), 'gone', {}, {} }
end
local lines = call('ZRANGEBYSCORE', KEYS[2], '(' .. digits(after), '+inf', 'LIMIT', 0, ARGV[2])
local isGone = ARGV[1] ~= '' and #lines == 0 and after < last
return { digits(now), digits(last), isGone and 'gone' or 'read', stops, lines }
`
