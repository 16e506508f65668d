import { digits, enter } from './enter.ts'
import { leaseName, repeatRecord, told, useRecord } from './use-record.ts'

/** The ask is one text, one member a line: one argument to send, one match to read. A line too many is no ask. */
const readAsk = `
local facts, txn, action, jti, attempt, event, kid, digest, secret, accept, jkt, resource = string.match(ARGV[1],
  '^([^\\n]*\\n[^\\n]*\\n([^\\n]*)\\n[^\\n]*\\n[^\\n]*\\n[^\\n]*\\n([^\\n]*))'
  .. '\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)$')
if not facts then return 'N request-malformed' end
local proof = accept ~= '' and KEYS[5]
local keys = kid ~= '' and KEYS[proof and 6 or 5]
local grant = call('HMGET', KEYS[3], 'era', 'facts', 'resource', 'jkt', 'exp', 'calls', 'used', 'revoked', 'use:' .. attempt)
`

/** Nobody registered it, or in another life of this shard. */
const isKnown = `
local function fact(text, wanted)
  local index = 0
  for line in string.gmatch(text .. '\\n', '([^\\n]*)\\n') do
    index = index + 1
    if index == wanted then return line end
  end
end
if not grant[1] then
  if now >= (tonumber(fact(facts, 6)) or 0) * 1000 then return 'N token-expired' end
  local born = math.floor(call('HGET', KEYS[1], 'born') / 1000)
  return (tonumber(fact(facts, 5)) or 0) < born and 'N incarnation-mismatch' or 'N grant-unknown'
end
if grant[1] ~= era then return 'N incarnation-mismatch' end
`

/** The request is about what was granted: same claims, the resource or one of its class, the same key. */
const isSame = `
if grant[2] ~= facts then
  if fact(grant[2], 1) ~= fact(facts, 1) then return 'N audience-mismatch' end
  for index = 2, 6 do if fact(grant[2], index) ~= fact(facts, index) then return 'N grant-unknown' end end
  return 'N action-mismatch'
end
local function isInClass(class)
  local kind = string.sub(class, 1, -2)
  return string.sub(class, -2) == ':*' and #kind > 1 and string.find(kind, ':', 1, true) == #kind
    and #resource > #kind and string.sub(resource, 1, #kind) == kind
end
if string.find(resource, '*', 1, true) or (resource ~= grant[3] and not isInClass(grant[3])) then
  return 'N resource-mismatch'
end
if grant[4] and grant[4] ~= jkt then return proof and 'N binding-failed' or 'N proof-missing' end
`

/** Grant, task and all that could be stopped about them live. No leeway for the expiry. */
export const isAlive = `
local function whyDead(grantKey, taskKey, exp, revoked, task)
  if revoked or task[2] == 'revoked' then return 'grant-revoked' end
  if not task[1] or task[3] ~= era then return 'grant-unknown' end
  if task[2] then return task[2] == 'expired' and 'task-expired' or 'task-ended' end
  if now >= tonumber(task[1]) then return 'task-expired' end
  if now >= tonumber(exp) then return 'token-expired' end
  if meta[4] == '0' then return nil end
  local names = call('HMGET', taskKey, 'stop-agent', 'stop-owner', 'stop-version')
  local own = call('HMGET', grantKey, 'stop-action', 'stop-version')
  local stops = call('HMGET', KEYS[1], 'stop:["everything"]', names[1], names[2], names[3], own[1], own[2])
  for index = 1, 6 do if stops[index] then return 'grant-revoked' end end
  return nil
end
`

const lives = `
local task = call('HMGET', KEYS[2], 'deadline', 'end', 'era', 'calls:' .. action)
local dead = whyDead(KEYS[3], KEYS[2], grant[5], grant[8], task)
if dead then return 'N ' .. dead end
`

/** A resend is the same redeem: it gets the same answer while the use runs, and never starts twice what has ended. */
const sentBefore = `
if grant[9] then
  local use = readUse(grant[9])
  if use.event ~= event or use.kid ~= kid or use.digest ~= digest then
    return 'N idempotency-conflict\\nThe attempt id belongs to another request'
  end
  if use.state == 'R' and now < tonumber(use.lease) then
    return 'S ' .. use.left .. ' ' .. use.at .. ' ' .. use.secret
  end
  local kept = keys and use.state == 'D' and call('HGET', keys, kid)
  if kept then use.ending = readRepeat(kept).ending end
  return told(use)
end
`

/** The mark says which attempt showed the proof: sent again it is no replay. A duplicate uses up its own proof too. */
const marksProof = `
if proof then
  local till = tonumber(accept)
  if now >= till or till > now + PROOF_WINDOW then return 'N proof-time' end
  local by = call('SET', proof, attempt, 'NX', 'GET', 'PXAT', digits(till + SKEW))
  if by and by ~= attempt then return 'N proof-replayed' end
end
`

const toldToRetry = `
local known = keys and call('HGET', keys, kid)
if known then
  known = readRepeat(known)
  return known.digest == digest and told(known) or 'N idempotency-conflict'
end
`

/** Every limit, charged together or not at all. Most grants have one cap on their own calls, kept beside the rest. */
const charges = `
local left, units = 0, ''
if grant[6] then
  left = grant[6] - grant[7] - 1
  if left < 0 then return 'N grant-exhausted\\n\\n' .. call('HGET', KEYS[3], 'calls-id') end
  call('HSET', KEYS[3], 'used', digits(grant[7] + 1))
else
  local amounts, limits = cjson.decode(ARGV[2] or '{}'), cjson.decode(call('HGET', KEYS[3], 'limits'))
  local spent, costs, ofAgent = {}, {}, {}
  left = 9007199254740991
  for index, limit in ipairs(limits) do
    local cost = 1
    if limit.parameter then cost = amounts[limit.parameter] end
    if type(cost) ~= 'number' then return 'N amount-invalid\\n\\n' .. limit.id end
    local own = limit.per == 'grant' and not limit.parameter
    if limit.per == 'agent' then
      ofAgent[#ofAgent + 1] = table.concat({ limit.id, digits(limit.max), digits(cost), digits(limit.window) }, '\\n')
    else
      local was = call('HGET', limit.per == 'task' and KEYS[2] or KEYS[3], 'spent:' .. limit.id)
      spent[index] = tonumber(was or '0')
      if cost > limit.max - spent[index] then
        return (own and 'N grant-exhausted' or 'N limit-exceeded') .. '\\n\\n' .. limit.id
      end
      if own then left = math.min(left, limit.max - spent[index] - 1) end
    end
    costs[index] = cost
  end
  ofAgent = table.concat(ofAgent, '\\n')
  if ofAgent ~= (ARGV[3] or '') then return 'A ' .. ofAgent end
  for index, limit in ipairs(limits) do
    if spent[index] then
      call('HSET', limit.per == 'task' and KEYS[2] or KEYS[3], 'spent:' .. limit.id, digits(spent[index] + costs[index]))
    end
    costs[index] = digits(costs[index])
  end
  units = table.concat(costs, ',')
end
`

const records = `
local lease, at = digits(now + LEASE), digits(now)
left = digits(left)
call('HSET', KEYS[3], 'use:' .. attempt,
  table.concat({ 'R', event, kid, digest, secret, at, left, lease, units, '' }, '\\n'))
call('HSET', KEYS[2], 'calls:' .. action, (task[4] or 0) + 1)
call('ZADD', KEYS[4], lease, leaseName(event, jti, txn, attempt))
if keys then
  call('HSET', keys, kid, table.concat({ 'R', event, digest, lease, attempt, '' }, '\\n'))
  call('PEXPIREAT', keys, digits(task[1] + UNSWEPT))
end
return 'F ' .. left .. ' ' .. at
`

/**
 * The one step in which a request spends its grant; all keys are in one slot.
 *
 * KEYS: meta, task, grant, uses, then the proof if there is one, then the task's idempotency keys if one is named.
 * ARGV: the ask, amounts as JSON, what the agent's shard was charged before. Answers one text: F first use, S sent
 * before, R running, D done, U unknown, A have the agent's shard charged first, N refused.
 */
export const redeem = [
  enter,
  digits,
  useRecord,
  repeatRecord,
  told,
  leaseName,
  isAlive,
  readAsk,
  isKnown,
  isSame,
  lives,
  sentBefore,
  marksProof,
  toldToRetry,
  charges,
  records,
].join('')
