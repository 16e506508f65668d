import { SWEEP_CLAIM_SECONDS } from '@hallpass/core'
import { digits, enter, tag } from './enter.ts'
import { useRecord } from './use-record.ts'

/** Another sweeper takes over what was not confirmed within this time: its process is gone. */
const CLAIM_MS = SWEEP_CLAIM_SECONDS * 1000

/**
 * Finds some of what ran out and claims it for this sweeper. Nothing is forgotten until `swept` confirms it: an answer
 * that was lost is found again. KEYS: meta, tasks, grants, uses, unknown uses. ARGV: how many of each.
 */
export const sweep = `${enter}${tag}${digits}${useRecord}
local claimed = digits(now + ${CLAIM_MS})
local function due(key)
  local found = {}
  for _, id in ipairs(call('ZRANGEBYSCORE', key, '-inf', digits(now), 'LIMIT', 0, ARGV[1])) do
    call('ZADD', key, claimed, id)
    found[#found + 1] = id
  end
  return found
end
local tasks, grants, uses = {}, {}, {}
local over = due(KEYS[2])
for _, txn in ipairs(over) do
  local task = call('HGETALL', TAG .. 'task:' .. txn)
  local ended = #task == 0
  for index = 1, #task, 2 do if task[index] == 'end' then ended = true end end
  if ended then
    call('ZREM', KEYS[2], txn)
    call('UNLINK', TAG .. 'task:' .. txn, TAG .. 'keys:' .. txn, TAG .. 'in:' .. txn)
  else
    tasks[#tasks + 1] = { txn, task }
  end
end
local expired = due(KEYS[3])
for _, jti in ipairs(expired) do
  local grant = call('HGETALL', TAG .. 'grant:' .. jti)
  local at = {}
  for index = 1, #grant, 2 do at[grant[index]] = grant[index + 1] end
  local task = at.txn and call('HMGET', TAG .. 'task:' .. at.txn, 'end', 'end-at') or {}
  local killed = at.revoked or (task[1] and tonumber(task[2]) < tonumber(at.exp or '0'))
  grants[#grants + 1] = { jti, (at.txn and not killed) and grant or {} }
end
-- Leases end in the order in which they began. Most uses were settled by then.
local passed = 0
for _, use in ipairs(call('LRANGE', KEYS[4], 0, ARGV[1] - 1)) do
  local lease, jti, attempt = string.match(use, '^(%d+)\\n([^\\n]*)\\n(.*)$')
  if tonumber(lease) > now then break end
  passed = passed + 1
  local found = call('HMGET', TAG .. 'grant:' .. jti, 'use:' .. attempt, 'txn', 'record')
  local state = found[1] and string.sub(found[1], 1, 1)
  if state == 'R' or state == 'B' then
    local use = readUse(found[1])
    local kept = state == 'R' and use.ending or string.match(use.ending, '^[^\\n]*\\n(.*)$') or ''
    if state == 'R' or string.sub(kept, 1, 1) == 'O' then
      -- All of it here: the grant may be forgotten before somebody says that it is on record.
      local untold = { use.event, jti, found[2], attempt, state, use.at, use.secret, kept, found[3] or '' }
      call('ZADD', KEYS[5], digits(now), table.concat(untold, '\\n'))
    end
  end
end
if passed > 0 then call('LTRIM', KEYS[4], passed, -1) end
uses = due(KEYS[5])
if #uses > 0 then call('PEXPIREAT', KEYS[5], digits(now + UNSWEPT)) end
return { digits(now), era, tasks, grants, uses, (#over + #expired + passed + #uses) }
`

/** Forgets what is on record. KEYS as above. ARGV[1]: tasks, grants and uses as JSON lists. */
export const swept = `${enter}${tag}${digits}
local told = cjson.decode(ARGV[1])
for _, txn in ipairs(told.tasks) do
  local key = TAG .. 'task:' .. txn
  local task = call('HMGET', key, 'deadline', 'end')
  if task[1] and not task[2] then call('HSET', key, 'end', 'expired', 'end-at', task[1]) end
  call('ZADD', KEYS[2], digits(now + ENDED), txn)
end
for _, jti in ipairs(told.grants) do
  local exp = call('HGET', TAG .. 'grant:' .. jti, 'exp')
  if exp then call('PEXPIREAT', TAG .. 'grant:' .. jti, digits(tonumber(exp) + 2 * LEASE), 'LT') end
  call('ZREM', KEYS[3], jti)
end
for _, use in ipairs(told.uses) do
  local jti, attempt = string.match(use, '^[^\\n]*\\n([^\\n]*)\\n[^\\n]*\\n([^\\n]*)')
  local key = TAG .. 'grant:' .. jti
  local text = call('HGET', key, 'use:' .. attempt)
  if text and string.sub(text, 1, 1) == 'R' then call('HSET', key, 'use:' .. attempt, 'U' .. string.sub(text, 2)) end
  call('ZREM', KEYS[5], use)
end
return 'Y'
`
