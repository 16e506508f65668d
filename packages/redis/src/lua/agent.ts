import { digits, enter, keepUntil, whyStopped, standing } from './enter.ts'

/**
 * An agent's counters are in the shard of the agent, because its tasks are in many. ARGV[1] is a row of id, cap, units
 * and window in seconds, one a line each. A counter is one field: the window it counts, and what was spent in it.
 */
const rows = `
local rows = {}
for id, max, units, window in string.gmatch(ARGV[1] .. '\\n', '([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n') do
  rows[#rows + 1] = { id = id, max = tonumber(max), units = tonumber(units), window = tonumber(window) }
end
local function read(row)
  row.field = 'spent:' .. row.id .. '\\n' .. digits(row.window)
  row.at = digits(math.floor(now / 1000 / row.window))
  local window, spent = string.match(call('HGET', KEYS[2], row.field) or '', '^(%d+) (%d+)$')
  row.spent = window == row.at and tonumber(spent) or 0
end
`

/**
 * Charges what an attempt, or a registration, costs its agent: all or nothing, and once however often it is sent.
 * KEYS: meta, agent, charge. ARGV[2]: how long the charge may be taken back, in ms; ARGV[3]: definitions to agree with.
 */
export const chargeAgent = `${enter}${digits}${keepUntil}${rows}
if call('EXISTS', KEYS[3]) == 1 then return 'Y' end
for _, definition in ipairs(cjson.decode(ARGV[3])) do
  local known = call('HGET', KEYS[2], 'unit:' .. definition[1])
  if known and known ~= definition[2] then return 'N details-invalid\\n\\n' .. definition[3] end
end
for _, row in ipairs(rows) do
  read(row)
  if row.units > row.max - row.spent then return 'N limit-exceeded\\n\\n' .. row.id end
end
local taken, last = {}, now + 60000
for index, row in ipairs(rows) do
  read(row)
  call('HSET', KEYS[2], row.field, row.at .. ' ' .. digits(row.spent + row.units))
  last = math.max(last, (row.at + 1) * row.window * 1000)
  taken[index] = row.field .. '\\n' .. row.at .. '\\n' .. digits(row.units)
end
for _, definition in ipairs(cjson.decode(ARGV[3])) do
  call('HSET', KEYS[2], 'unit:' .. definition[1], definition[2])
  last = math.max(last, now + definition[4] * 1000)
end
if #rows > 0 then call('SET', KEYS[3], table.concat(taken, '\\n'), 'PXAT', digits(now + ARGV[2])) end
if call('EXISTS', KEYS[2]) == 1 then keepUntil(KEYS[2], last) end
return 'Y'
`

/** Takes a charge back, once; a window that is over has nothing to get back. KEYS: meta, agent, charge. */
export const refundAgent = `${enter}${digits}
local charge = call('GETDEL', KEYS[3])
if not charge then return 'N' end
for id, window, at, units in string.gmatch(charge .. '\\n', '([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n') do
  local field = id .. '\\n' .. window
  local counted, spent = string.match(call('HGET', KEYS[2], field) or '', '^(%d+) (%d+)$')
  if counted == at then call('HSET', KEYS[2], field, at .. ' ' .. digits(spent - units)) end
end
return 'Y'
`

/**
 * Takes one of the places for open tasks that an agent has. KEYS: meta, places. ARGV: the task and the name of this call,
 * the most places, the deadline (ms), the names of what may be stopped.
 */
export const takePlace = `${enter}${digits}${keepUntil}${standing}${whyStopped}
local refused = whyStopped(cjson.decode(ARGV[4]))
if refused then return 'N ' .. refused end
local deadline = tonumber(ARGV[3])
if now >= deadline then return 'N task-expired' end
if deadline - now > MAX_TASK then return 'N lifetime-exceeded' end
if call('ZSCORE', KEYS[2], ARGV[1]) then return 'Y' end
call('ZREMRANGEBYSCORE', KEYS[2], '-inf', digits(now))
local most = tonumber(ARGV[2])
if not most or not (call('ZCARD', KEYS[2]) < most) then return 'N too-many-open-tasks' end
call('ZADD', KEYS[2], ARGV[3], ARGV[1])
keepUntil(KEYS[2], deadline)
return 'Y'
`

/** Gives a place back. KEYS: meta, places. */
export const leavePlace = `${enter}
return call('ZREM', KEYS[2], ARGV[1])
`
