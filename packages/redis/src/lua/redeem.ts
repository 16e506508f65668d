import { digits, enter, tag } from './enter.ts'
import { repeatRecord, told, useRecord } from './use-record.ts'

/**
 * Why a grant is good for nothing any more. A task that ends marks its grants, and no grant outlives its task, so the
 * grant alone tells. No leeway for the expiry.
 */
export const isAlive = `
local function whyDead(key, exp, dead)
  if dead then return dead end
  if now >= tonumber(exp) then return 'token-expired' end
  if meta[4] == '0' then return nil end
  local names = call('HMGET', key, 'stop-agent', 'stop-owner', 'stop-task', 'stop-version', 'stop-action')
  for _, found in ipairs(call('HMGET', KEYS[1], 'stop:["everything"]', unpack(names))) do
    if found then return 'grant-revoked' end
  end
  return nil
end
`

/** What a request gets whose grant nobody registered, or in another life of this shard. */
const unknown = `
local function lines(text)
  local found = {}
  for line in string.gmatch(text .. '\\n', '([^\\n]*)\\n') do found[#found + 1] = line end
  return found
end
local function whyUnknown(facts)
  local asked = lines(facts)
  if now >= (tonumber(asked[6]) or 0) * 1000 then return 'N token-expired' end
  local born = math.floor(call('HGET', KEYS[1], 'born') / 1000)
  return (tonumber(asked[5]) or 0) < born and 'N incarnation-mismatch' or 'N grant-unknown'
end
`

/** The request repeats its grant word for word; or else it is one resource of a class, or an unbound grant, or refused. */
const isSame = `
local function isInClass(class, resource)
  local kind = string.sub(class, 1, -2)
  return string.sub(class, -2) == ':*' and #kind > 1 and string.find(kind, ':', 1, true) == #kind
    and #resource > #kind and string.sub(resource, 1, #kind) == kind
end
local function whyOther(granted, facts, proof)
  local known, asked = lines(granted), lines(facts)
  if known[1] ~= asked[1] then return 'N audience-mismatch' end
  for index = 2, 6 do if known[index] ~= asked[index] then return 'N grant-unknown' end end
  if known[7] ~= asked[7] then return 'N action-mismatch' end
  local resource = asked[8]
  if string.find(resource, '*', 1, true) or (resource ~= known[8] and not isInClass(known[8], resource)) then
    return 'N resource-mismatch'
  end
  if known[9] == '' or known[9] == asked[9] then return nil end
  return proof == '' and 'N proof-missing' or 'N binding-failed'
end
`

/** A resend is the same redeem: it gets the same answer while the use runs, and never starts twice what has ended. */
const sentBefore = `
local function toAttempt(text, event, kid, digest, keys)
  local use = readUse(text)
  if use.event ~= event or use.kid ~= kid or use.digest ~= digest then
    return 'N idempotency-conflict\\nThe attempt id belongs to another request'
  end
  if use.state == 'R' and now < tonumber(use.lease) then
    return 'S ' .. use.left .. ' ' .. use.at .. ' ' .. use.secret
  end
  local kept = kid ~= '' and use.state == 'D' and call('HGET', keys, kid)
  if kept then use.ending = readRepeat(kept).ending end
  return told(use)
end
`

/** Every limit, charged together or not at all. Answers what is left and what it cost, or nothing and the refusal. */
const charges = `
local function charge(grantKey, taskKey, amounts, charged)
  local limits = cjson.decode(call('HGET', grantKey, 'limits'))
  if amounts ~= '' then amounts = cjson.decode(amounts) else amounts = {} end
  local spent, costs, ofAgent, left = {}, {}, {}, 9007199254740991
  for index, limit in ipairs(limits) do
    local cost = 1
    if limit.parameter then cost = amounts[limit.parameter] end
    if type(cost) ~= 'number' then return nil, 'N amount-invalid\\n\\n' .. limit.id end
    local own = limit.per == 'grant' and not limit.parameter
    if limit.per == 'agent' then
      ofAgent[#ofAgent + 1] = table.concat({ limit.id, digits(limit.max), digits(cost), digits(limit.window) }, '\\n')
    else
      local was = call('HGET', limit.per == 'task' and taskKey or grantKey, 'spent:' .. limit.id)
      spent[index] = tonumber(was or '0')
      if cost > limit.max - spent[index] then
        return nil, (own and 'N grant-exhausted' or 'N limit-exceeded') .. '\\n\\n' .. limit.id
      end
      if own then left = math.min(left, limit.max - spent[index] - 1) end
    end
    costs[index] = cost
  end
  ofAgent = table.concat(ofAgent, '\\n')
  if ofAgent ~= charged then return nil, 'A ' .. ofAgent end
  for index, limit in ipairs(limits) do
    if spent[index] then
      call('HSET', limit.per == 'task' and taskKey or grantKey, 'spent:' .. limit.id, digits(spent[index] + costs[index]))
    end
    costs[index] = digits(costs[index])
  end
  return left, table.concat(costs, ',')
end
`

/**
 * One redeem, from a text of members set apart by carriage returns. Most grants have one cap on their own calls, kept
 * beside the rest; a proof's mark says which attempt showed it, so that sent again it is no replay, and a duplicate uses
 * up its own.
 */
const redeemOne = `
local find, sub, queue = string.find, string.sub, TAG .. 'uses'
local lease = digits(now + LEASE)
local at = digits(now)
local function redeemOne(text)
  local stop = find(text, '\\r', 1, true)
  local jti = sub(text, 1, stop - 1)
  local start = stop + 1
  stop = find(text, '\\r', start, true)
  local attempt = sub(text, start, stop - 1)
  start = stop + 1
  stop = find(text, '\\r', start, true)
  local event = sub(text, start, stop - 1)
  start = stop + 1
  stop = find(text, '\\r', start, true)
  local kid = sub(text, start, stop - 1)
  start = stop + 1
  stop = find(text, '\\r', start, true)
  local digest = sub(text, start, stop - 1)
  start = stop + 1
  stop = find(text, '\\r', start, true)
  local secret = sub(text, start, stop - 1)
  start = stop + 1
  stop = find(text, '\\r', start, true)
  local accept = sub(text, start, stop - 1)
  start = stop + 1
  stop = find(text, '\\r', start, true)
  local proof = sub(text, start, stop - 1)
  start = stop + 1
  stop = find(text, '\\r', start, true)
  local facts = sub(text, start, stop - 1)

  local key = TAG .. 'grant:' .. jti
  local grant = call('HMGET', key, 'era', 'facts', 'exp', 'calls', 'used', 'dead', 'txn', 'counts', 'use:' .. attempt)
  if not grant[1] then return whyUnknown(facts) end
  if grant[1] ~= era then return 'N incarnation-mismatch' end
  if grant[2] ~= facts or find(facts, '*', 1, true) then
    local other = whyOther(grant[2], facts, proof)
    if other then return other end
  end
  local dead = whyDead(key, grant[3], grant[6])
  if dead then return 'N ' .. dead end
  local txn = grant[7]
  local keys = kid ~= '' and TAG .. 'keys:' .. txn
  if grant[9] then return toAttempt(grant[9], event, kid, digest, keys) end

  if proof ~= '' then
    local till = tonumber(accept)
    if now >= till or till > now + PROOF_WINDOW then return 'N proof-time' end
    local by = call('SET', TAG .. 'proof:' .. proof, attempt, 'NX', 'GET', 'PXAT', digits(till + SKEW))
    if by and by ~= attempt then return 'N proof-replayed' end
  end
  local known = keys and call('HGET', keys, kid)
  if known then
    known = readRepeat(known)
    return known.digest == digest and told(known) or 'N idempotency-conflict'
  end

  local left, units, used = 0, '', nil
  if grant[4] then
    left = grant[4] - grant[5] - 1
    if left < 0 then return 'N grant-exhausted\\n\\n' .. call('HGET', key, 'calls-id') end
    used = digits(grant[5] + 1)
  else
    start = stop + 1
    stop = find(text, '\\r', start, true)
    left, units = charge(key, TAG .. 'task:' .. txn, sub(text, start, stop - 1), sub(text, stop + 1))
    if not left then return units end
  end
  left = digits(left)
  local use = 'R\\n' .. event .. '\\n' .. kid .. '\\n' .. digest .. '\\n' .. secret .. '\\n' .. at .. '\\n' .. left .. '\\n' .. lease .. '\\n' .. units .. '\\n'
  if used then call('HSET', key, 'used', used, 'use:' .. attempt, use) else call('HSET', key, 'use:' .. attempt, use) end
  call('HINCRBY', TAG .. 'task:' .. txn, grant[8], 1)
  local waiting = call('RPUSH', queue, lease .. '\\n' .. event .. '\\n' .. jti .. '\\n' .. txn .. '\\n' .. attempt)
  if waiting == 1 then call('PEXPIREAT', queue, digits(now + 2 * UNSWEPT)) end
  if keys then
    call('HSET', keys, kid, table.concat({ 'R', event, digest, lease, attempt, '' }, '\\n'))
    call('PEXPIREAT', keys, digits(call('HGET', key, 'deadline') + UNSWEPT))
  end
  return 'F ' .. left .. ' ' .. at
end
`

/**
 * The step in which requests spend their grants, one after the other and each atomic by itself: what came in one turn
 * of the event loop shares one call. All keys are in the slot of \`KEYS[1]\`, the shard's meta, and are found by what is
 * asked and what the grant says.
 *
 * ARGV: one ask each. Answers one text each: F first use, S sent before, R running, D done, U unknown, A have the
 * agent's shard charged first, N refused, E broken.
 */
export const redeem = `${enter}${tag}${digits}${useRecord}${repeatRecord}${told}${isAlive}${unknown}${isSame}${sentBefore}${charges}${redeemOne}
local answers = {}
for index, text in ipairs(ARGV) do
  local done, answer = pcall(redeemOne, text)
  answers[index] = done and answer or 'E ' .. tostring(answer)
end
return answers
`
