import { digits, enter, tag } from './enter.ts'
import { logLine } from './log.ts'

/**
 * How grants and tasks die. Every kill is marked with the call that did it, so that a call that is sent again, or
 * finished by another broker, tells the same. The keys of a task's grants are only known here, and are in the same slot.
 */
const kills = `
local dry, killer, why, how = ARGV[1] == 'dry', ARGV[2], ARGV[3], ARGV[4]
local killed = {}
local function tell(jti, grant)
  killed[#killed + 1] = { jti, grant[1], grant[2], grant[3] }
end
local function killGrant(jti, grant)
  tell(jti, grant)
  if dry then return end
  local key, reason = TAG .. 'grant:' .. jti, how == 'revoked' and 'grant-revoked' or 'task-ended'
  local head, tail = string.match(call('HGET', key, 'fixed'), '^([^\\r]*\\r)[^\\r]*(.*)$')
  call('HSET', key, 'dead', reason, 'fixed', head .. reason .. tail)
  logLine('{"kind":"grant","at":' .. digits(now) .. ',"reason":' .. cjson.encode(why ~= '' and why or how) .. ',' .. grant[4] .. '}')
end
local function killTask(txn)
  local key = TAG .. 'task:' .. txn
  local task = call('HMGET', key, 'deadline', 'end', 'killer', 'place', 'agent', 'era')
  if not task[1] then return nil end
  local again = task[2] and task[3] == killer
  if not again and (task[2] or now >= tonumber(task[1])) then return nil end
  local from = again and call('HGET', key, 'end-at') or digits(now)
  for _, jti in ipairs(call('ZRANGEBYSCORE', TAG .. 'in:' .. txn, '(' .. from, '+inf')) do
    local grant = call('HMGET', TAG .. 'grant:' .. jti, 'txn', 'status-uri', 'status-idx', 'line', 'revoked', 'era')
    if grant[1] and not grant[5] and grant[6] == era then
      if again then tell(jti, grant) else killGrant(jti, grant) end
    end
  end
  if not dry and not again then
    call('HSET', key, 'end', how, 'end-at', digits(now), 'killer', killer)
    if why ~= '' then call('HSET', key, 'end-why', why) end
    call('ZADD', TAG .. 'tasks', digits(now + ENDED), txn)
  end
  return { txn, task[5], task[4] }
end
local function wake()
  if #killed > 0 and not dry then call('PUBLISH', WAKE, '') end
end
`

/** Ends one task. KEYS: meta, task, tasks, its grants, log. ARGV: dry or not, name of the call, reason, how, task id. */
export const endTask = `${enter}${tag}${digits}${logLine}${kills}
local task = killTask(ARGV[5])
wake()
return { task or {}, killed }
`

const ownGrant = `
local function killOwn(jti, matches)
  local key = TAG .. 'grant:' .. jti
  local grant = call('HMGET', key, 'txn', 'status-uri', 'status-idx', 'line', 'revoked', 'killer', 'exp', 'era', 'stop-action', 'version')
  if not grant[1] or not matches(grant) then return end
  if grant[5] then
    if grant[6] == killer then tell(jti, grant) end
    return
  end
  local task = call('HMGET', TAG .. 'task:' .. grant[1], 'deadline', 'end')
  if now >= tonumber(grant[7]) or grant[8] ~= era then return end
  if not task[1] or task[2] or now >= tonumber(task[1]) then return end
  killGrant(jti, grant)
  if not dry then call('HSET', key, 'revoked', why, 'revoked-at', digits(now), 'killer', killer) end
end
`

/** Revokes one grant, where it is in this shard. KEYS: meta, grant, log. ARGV as above, and the grant id. */
export const revokeGrant = `${enter}${tag}${digits}${logLine}${kills}${ownGrant}
killOwn(ARGV[5], function() return true end)
wake()
return { {}, killed }
`

/**
 * One step of a wide revocation over a shard: some tasks, or some grants, that match. KEYS: meta, tasks or grants, log.
 * ARGV as above, then what is scanned, the cursor, which field is compared, and with what.
 */
export const killStep = `${enter}${tag}${digits}${logLine}${kills}${ownGrant}
local scan = call('ZSCAN', KEYS[2], ARGV[6], 'COUNT', 200)
local field, wanted = ARGV[7], ARGV[8]
local tasks = {}
for index = 1, #scan[2], 2 do
  local id = scan[2][index]
  if ARGV[5] == 'grants' then
    killOwn(id, function(grant) return (field == 'action' and grant[9] or grant[10]) == wanted end)
  elseif field == '' or call('HGET', TAG .. 'task:' .. id, field) == wanted then
    tasks[#tasks + 1] = killTask(id)
  end
end
wake()
return { scan[1], tasks, killed }
`
