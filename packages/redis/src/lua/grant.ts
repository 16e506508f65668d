import { digits, enter, keepUntil, standing, whyStopped } from './enter.ts'

/**
 * Makes a grant known. KEYS: meta, task, grant, grants, grants of the task, uses. ARGV[1]: what is checked, as JSON;
 * ARGV[2]: the fields of the grant's hash, as a JSON list. Charges the task at issue where it is asked to.
 */
export const registerGrant = `${enter}${digits}${keepUntil}${standing}${whyStopped}
local ask = cjson.decode(ARGV[1])
local task = call('HMGET', KEYS[2], 'deadline', 'end', 'era', 'agent', 'owner', 'stop-version')
if not task[1] then return 'N task-unknown' end
if task[3] ~= era then return 'N incarnation-mismatch' end
local known = call('HGET', KEYS[3], 'call')
if known == ask.call then return 'Y' end
if task[4] ~= ask.agent or task[5] ~= ask.owner then
  return 'N request-invalid\\nThe grant names another agent or owner than its task'
end
if task[2] then return task[2] == 'expired' and 'N task-expired' or 'N task-ended' end
local deadline = tonumber(task[1])
if now >= deadline then return 'N task-expired' end
local refused = whyStopped(ask.stops)
if refused then return 'N ' .. refused end
if now >= ask.exp then return 'N token-expired' end
if ask.iat > now + SKEW then return 'N not-yet-valid' end
if ask.exp > deadline or ask.tooLong then return 'N lifetime-exceeded' end
for _, counter in ipairs(ask.counters) do
  local unit = call('HGET', KEYS[2], 'unit:' .. counter.id)
  if unit and unit ~= counter.unit then
    return 'N details-invalid\\nLimit ' .. counter.id .. ' already counts another parameter, scale or unit'
  end
end
if known then return 'N request-invalid\\nA grant with this id exists' end
for _, charge in ipairs(ask.charges) do
  charge.spent = tonumber(call('HGET', KEYS[2], 'spent:' .. charge.id) or '0')
  if charge.units > charge.max - charge.spent then
    return 'N limit-exceeded\\nLimit ' .. charge.id .. ' does not allow this grant'
  end
end
local fields = cjson.decode(ARGV[2])
local fixed = table.concat({ era, digits(ask.exp), ask.calls, ask.txn, ask.counts, ask.facts }, '\\r')
call('HSET', KEYS[3], 'era', era, 'call', ask.call, 'deadline', task[1], 'stop-task', task[6], 'fixed', fixed, unpack(fields))
call('PEXPIREAT', KEYS[3], digits(ask.exp + UNSWEPT))
for _, counter in ipairs(ask.counters) do
  call('HSET', KEYS[2], 'unit:' .. counter.id, counter.unit)
  call('HSETNX', KEYS[2], 'spent:' .. counter.id, '0')
end
for _, charge in ipairs(ask.charges) do
  call('HSET', KEYS[2], 'spent:' .. charge.id, digits(charge.spent + charge.units))
end
call('HINCRBY', KEYS[2], 'grants', 1)
call('ZADD', KEYS[4], digits(ask.exp), ask.jti)
keepUntil(KEYS[4], ask.exp + UNSWEPT)
call('ZREMRANGEBYSCORE', KEYS[5], '-inf', digits(now))
call('ZADD', KEYS[5], digits(ask.exp), ask.jti)
call('PEXPIREAT', KEYS[5], digits(deadline + UNSWEPT))
if call('EXISTS', KEYS[6]) == 1 then keepUntil(KEYS[6], ask.exp + LEASE + UNSWEPT) end
return 'Y'
`

/** Everything about one grant. KEYS: meta, grant. */
export const readGrant = `${enter}${digits}
return { digits(now), era, call('HGETALL', KEYS[2]) }
`
