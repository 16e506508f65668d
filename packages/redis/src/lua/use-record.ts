/**
 * A use is one text in its grant's hash: state (R running, D done, B given back, U unknown), then what a resend must
 * repeat, the secret of its reservation, when it began, what was left, when its lease ends, what it cost, its outcome.
 * While it runs, the last is O or - (whether who sweeps has it put on record) and the resource where it is not the
 * grant's; what was given back has the call that did it and that, a line each.
 */
export const useRecord = `
local function readUse(text)
  local use = {}
  use.state, use.event, use.kid, use.digest, use.secret, use.at, use.left, use.lease, use.units, use.ending =
    string.match(text, '^(%a)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n(.*)$')
  return use
end
local function useText(use)
  return table.concat({ use.state, use.event, use.kid, use.digest, use.secret, use.at, use.left, use.lease, use.units, use.ending }, '\\n')
end
`

/** What a retry may ask about: state, event, digest, end of the lease, attempt, outcome. */
export const repeatRecord = `
local function readRepeat(text)
  local kept = {}
  kept.state, kept.event, kept.digest, kept.lease, kept.attempt, kept.ending =
    string.match(text, '^(%a)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n(.*)$')
  return kept
end
`

/** What is told of a use to whoever did not make it: how it ended, that it runs, or that nobody knows. */
export const told = `
local function told(use)
  if use.state == 'D' then return 'D ' .. use.event .. '\\n' .. use.ending end
  if use.state == 'R' and now < tonumber(use.lease) then return 'R ' .. use.event end
  return 'U ' .. use.event
end
`
