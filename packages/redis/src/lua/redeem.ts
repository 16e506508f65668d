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
 * One redeem, from a text of members set apart by carriage returns: a mark and the grant, the attempt, what is said of the
 * use (event, idempotency, digest, secret, a line each: a piece of the record as it stands), until when the proof is
 * marked, the proof, the facts, amounts, and what the agent was charged. Most grants have one cap on their own calls, kept
 * beside the rest. What is fixed about a grant is one field: its era, its expiry or why it is dead, its calls, its task,
 * its counter, and the facts. A proof's mark says which attempt showed it, so that sent again it is no replay.
 */
const redeemOne = `
local find, sub, format = string.find, string.sub, string.format
local queue, lease, at = TAG .. 'uses', digits(now + LEASE), digits(now)
local function redeemOne(text)
  local a = find(text, '\\r', 1, true)
  local b = find(text, '\\r', a + 1, true)
  local c = find(text, '\\r', b + 1, true)
  local d = find(text, '\\r', c + 1, true)
  local e = find(text, '\\r', d + 1, true)
  local f = find(text, '\\r', e + 1, true)
  local jti, attempt, said = sub(text, 2, a - 1), sub(text, a + 1, b - 1), sub(text, b + 1, c - 1)
  local proof, facts = sub(text, d + 1, e - 1), sub(text, e + 1, f - 1)
  local key, field = TAG .. 'grant:' .. jti, 'use:' .. attempt
  local grant = call('HMGET', key, 'fixed', 'used', field)
  local fixed = grant[1]
  if not fixed then return whyUnknown(facts) end
  local h = find(fixed, '\\r', 1, true)
  local i = find(fixed, '\\r', h + 1, true)
  local j = find(fixed, '\\r', i + 1, true)
  local k = find(fixed, '\\r', j + 1, true)
  local l = find(fixed, '\\r', k + 1, true)
  if sub(fixed, 1, h - 1) ~= era then return 'N incarnation-mismatch' end
  local granted = sub(fixed, l + 1)
  if granted ~= facts or find(facts, '*', 1, true) then
    local other = whyOther(granted, facts, proof)
    if other then return other end
  end
  local ending = sub(fixed, h + 1, i - 1)
  local dead = whyDead(key, ending, not tonumber(ending) and ending)
  if dead then return 'N ' .. dead end

  local mark = sub(text, 1, 1)
  local calls, txn = sub(fixed, i + 1, j - 1), sub(fixed, j + 1, k - 1)
  local keys, event, kid, digest
  if grant[3] or mark == 'I' or mark == 'J' then
    event, kid, digest = string.match(said, '^([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)')
    keys = kid ~= '' and TAG .. 'keys:' .. txn
    if grant[3] then return toAttempt(grant[3], event, kid, digest, keys) end
  end
  if proof ~= '' then
    local marked = sub(text, c + 1, d - 1)
    local till = marked - SKEW
    if now >= till or till > now + PROOF_WINDOW then return 'N proof-time' end
    local by = call('SET', TAG .. 'proof:' .. proof, attempt, 'NX', 'GET', 'PXAT', marked)
    if by and by ~= attempt then return 'N proof-replayed' end
  end
  local known = keys and call('HGET', keys, kid)
  if known then
    known = readRepeat(known)
    return known.digest == digest and told(known) or 'N idempotency-conflict'
  end

  local left, units, used = nil, '', nil
  if calls ~= '' then
    used = grant[2] + 1
    if used > tonumber(calls) then return 'N grant-exhausted\\n\\n' .. call('HGET', key, 'calls-id') end
    used = format('%.0f', used)
    left = calls .. ' ' .. used
  else
    local g = find(text, '\\r', f + 1, true)
    left, units = charge(key, TAG .. 'task:' .. txn, sub(text, f + 1, g - 1), sub(text, g + 1))
    if not left then return units end
    left = digits(left) .. ' 0'
  end
  local kept = (mark == 'O' or mark == 'J') and 'O' or ''
  if granted ~= facts then
    local resource = lines(facts)[8]
    if resource ~= lines(granted)[8] then kept = (kept == '' and '-' or kept) .. resource end
  end
  local use = 'R\\n' .. said .. '\\n' .. at .. '\\n' .. left .. '\\n' .. lease .. '\\n' .. units .. '\\n' .. kept
  if used then call('HSET', key, 'used', used, field, use) else call('HSET', key, field, use) end
  call('HINCRBY', TAG .. 'task:' .. txn, sub(fixed, k + 1, l - 1), 1)
  local waiting = call('RPUSH', queue, lease .. '\\n' .. jti .. '\\n' .. attempt)
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
