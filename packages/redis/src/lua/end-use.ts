import { digits, enter } from './enter.ts'
import { isAlive } from './redeem.ts'
import { repeatRecord, useRecord } from './use-record.ts'

/** The running use that a reservation names. ARGV: attempt, secret. */
const runningUse = `
local text = call('HGET', KEYS[2], 'use:' .. ARGV[1])
local use = text and readUse(text)
if not use or use.secret ~= ARGV[2] then return 'N' end
`

/** A use by its reservation: what the sweep would say of it, and its state. KEYS: meta, grant. */
export const readUse = `${enter}${useRecord}${runningUse}
local grant = call('HMGET', KEYS[2], 'txn', 'record')
local kept = use.state == 'R' and use.ending or use.state == 'B' and string.match(use.ending, '^[^\\n]*\\n(.*)$') or ''
local state = use.state == 'R' and now >= tonumber(use.lease) and 'U' or use.state
return table.concat({ use.event, '', grant[1] or '', ARGV[1], state, use.at, use.secret, kept, grant[2] or '' }, '\\n')
`

/** reserved -> committed. KEYS: meta, grant, idempotency keys. ARGV[3] and [4]: the outcome without and with its body. */
export const settle = `${enter}${useRecord}${repeatRecord}${runningUse}
if use.state ~= 'R' or now >= tonumber(use.lease) then return 'N' end
use.state, use.ending = 'D', ARGV[3]
call('HSET', KEYS[2], 'use:' .. ARGV[1], useText(use))
local kept = use.kid ~= '' and call('HGET', KEYS[3], use.kid)
if kept and readRepeat(kept).attempt == ARGV[1] then
  call('HSET', KEYS[3], use.kid, table.concat({ 'D', use.event, use.digest, use.lease, ARGV[1], ARGV[4] }, '\\n'))
end
return 'Y'
`

/**
 * reserved -> released, once: what it cost comes back, unless it is too late for that. KEYS: meta, grant, idempotency
 * keys, task. ARGV[3] names the call, so that it can be sent again. Answers Y, and the agent where its shard was charged.
 */
export const giveBack = `${enter}${digits}${useRecord}${repeatRecord}${isAlive}${runningUse}
local grant = call('HMGET', KEYS[2], 'exp', 'dead', 'limits', 'used', 'counts', 'agent', 'era')
local function answer()
  return string.find(grant[3] or '', '"per":"agent"', 1, true) and 'Y ' .. grant[6] or 'Y'
end
if use.state == 'B' and string.match(use.ending, '^[^\\n]*') == ARGV[3] then return answer() end
if use.state ~= 'R' or now >= tonumber(use.lease) or grant[7] ~= era then return 'N' end
if whyDead(KEYS[2], grant[1], grant[2]) then return 'N' end
use.state, use.ending = 'B', ARGV[3] .. '\\n' .. use.ending
call('HSET', KEYS[2], 'use:' .. ARGV[1], useText(use))
if use.kid ~= '' then call('HDEL', KEYS[3], use.kid) end
call('HINCRBY', KEYS[4], grant[5], -1)
if grant[4] then
  call('HSET', KEYS[2], 'used', digits(grant[4] - 1))
else
  local costs = {}
  for cost in string.gmatch(use.units, '[^,]+') do costs[#costs + 1] = tonumber(cost) end
  for index, limit in ipairs(cjson.decode(grant[3])) do
    if limit.per ~= 'agent' then
      local home = limit.per == 'task' and KEYS[4] or KEYS[2]
      call('HSET', home, 'spent:' .. limit.id, digits(call('HGET', home, 'spent:' .. limit.id) - costs[index]))
    end
  end
end
return answer()
`
