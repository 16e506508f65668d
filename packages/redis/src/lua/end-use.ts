import { digits, enter } from './enter.ts'
import { isAlive } from './redeem.ts'
import { leaseName, repeatRecord, useRecord } from './use-record.ts'

/** The running use that a reservation names. ARGV: attempt, secret, jti, txn. */
const runningUse = `
local text = call('HGET', KEYS[2], 'use:' .. ARGV[1])
local use = text and readUse(text)
if not use or use.secret ~= ARGV[2] then return 'N' end
local lease = leaseName(use.event, ARGV[3], ARGV[4], ARGV[1])
`

/** reserved -> committed. KEYS: meta, grant, uses, idempotency keys. ARGV[5] and [6]: the outcome without and with its body. */
export const settle = `${enter}${useRecord}${repeatRecord}${leaseName}${runningUse}
if use.state ~= 'R' or now >= tonumber(use.lease) then return 'N' end
use.state, use.ending = 'D', ARGV[5]
call('HSET', KEYS[2], 'use:' .. ARGV[1], useText(use))
call('ZREM', KEYS[3], lease)
local kept = use.kid ~= '' and call('HGET', KEYS[4], use.kid)
if kept and readRepeat(kept).attempt == ARGV[1] then
  call('HSET', KEYS[4], use.kid, table.concat({ 'D', use.event, use.digest, use.lease, ARGV[1], ARGV[6] }, '\\n'))
end
return 'Y'
`

/**
 * reserved -> released, once: what it cost comes back, unless it is too late for that. KEYS: meta, grant, uses,
 * idempotency keys, task. ARGV[5] names the call, so that it can be sent again. Answers Y and the agent, where the
 * agent's shard was charged as well.
 */
export const giveBack = `${enter}${digits}${useRecord}${repeatRecord}${leaseName}${isAlive}${runningUse}
local grant = call('HMGET', KEYS[2], 'exp', 'revoked', 'limits', 'used', 'facts', 'agent', 'era')
local function answer()
  return string.find(grant[3] or '', '"per":"agent"', 1, true) and 'Y ' .. grant[6] or 'Y'
end
if use.state == 'B' and use.ending == ARGV[5] then return answer() end
if use.state ~= 'R' or now >= tonumber(use.lease) or grant[7] ~= era then return 'N' end
local task = call('HMGET', KEYS[5], 'deadline', 'end', 'era')
if whyDead(KEYS[2], KEYS[5], grant[1], grant[2], task) then return 'N' end
use.state, use.ending = 'B', ARGV[5]
call('HSET', KEYS[2], 'use:' .. ARGV[1], useText(use))
call('ZREM', KEYS[3], lease)
if use.kid ~= '' then call('HDEL', KEYS[4], use.kid) end
call('HINCRBY', KEYS[5], 'calls:' .. string.match(grant[5], '([^\\n]*)$'), -1)
if grant[4] then
  call('HSET', KEYS[2], 'used', digits(grant[4] - 1))
else
  local costs = {}
  for cost in string.gmatch(use.units, '[^,]+') do costs[#costs + 1] = tonumber(cost) end
  for index, limit in ipairs(cjson.decode(grant[3])) do
    if limit.per ~= 'agent' then
      local home = limit.per == 'task' and KEYS[5] or KEYS[2]
      call('HSET', home, 'spent:' .. limit.id, digits(call('HGET', home, 'spent:' .. limit.id) - costs[index]))
    end
  end
end
return answer()
`
