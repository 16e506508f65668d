import { digits, enter, keepUntil, standing, whyStopped } from './enter.ts'

/**
 * Opens a task. KEYS: meta, task, tasks. ARGV: its record as JSON, its deadline (ms), the name of this call, the place
 * it took, names of what may be stopped, agent, owner, policy version, task id.
 */
export const openTask = `${enter}${digits}${keepUntil}${standing}${whyStopped}
local stops = cjson.decode(ARGV[5])
local refused = whyStopped(stops)
if refused then return 'N ' .. refused end
local deadline = tonumber(ARGV[2])
if now >= deadline then return 'N task-expired' end
local known = call('HGET', KEYS[2], 'call')
if known then return known == ARGV[3] and 'Y' or 'N request-invalid\\nA task with this id exists' end
call('HSET', KEYS[2], 'record', ARGV[1], 'deadline', ARGV[2], 'era', era, 'call', ARGV[3], 'place', ARGV[4],
  'stop-agent', stops.agent, 'stop-owner', stops.owner, 'stop-version', stops.version,
  'agent', ARGV[6], 'owner', ARGV[7], 'version', ARGV[8], 'grants', 0, 'refusals', 0)
call('PEXPIREAT', KEYS[2], digits(deadline + UNSWEPT))
call('ZADD', KEYS[3], ARGV[2], ARGV[9])
keepUntil(KEYS[3], deadline + UNSWEPT)
return 'Y'
`

/** Everything about one task, and what its expiry is judged by. KEYS: meta, task. */
export const readTask = `${enter}${digits}
return { digits(now), era, call('HGETALL', KEYS[2]) }
`

/** Counts a refused decision. KEYS: meta, task. */
export const noteRefusal = `${enter}
if call('EXISTS', KEYS[2]) == 1 then call('HINCRBY', KEYS[2], 'refusals', 1) end
return 'Y'
`
