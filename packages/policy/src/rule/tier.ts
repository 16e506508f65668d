import { DEFAULT_TTL_SECONDS, MAX_TTL_SECONDS } from '@hallpass/core'
import type { Risk } from '@hallpass/core'
import { isCount, isRecord, list } from '../definition/reader.ts'
import type { Problems } from '../definition/reader.ts'

/** What grants for actions of one risk get when their rule says nothing, and what it may say at most. */
export interface Tier {
  readonly ttlSeconds: number
  readonly calls: number
  readonly maxTtlSeconds: number
  /** Whether a rule may allow more than one call of a grant, constraints, and a class of resources. */
  readonly mayRepeat: boolean
  readonly mayConstrain: boolean
  readonly mayClass: boolean
}

export type Tiers = Readonly<Record<Risk, Tier>>

const once = { calls: 1, mayRepeat: true, mayConstrain: true, mayClass: false } as const

export const TIERS: Tiers = {
  read: { ...once, ttlSeconds: 60, maxTtlSeconds: MAX_TTL_SECONDS, mayClass: true },
  write: { ...once, ttlSeconds: 30, maxTtlSeconds: MAX_TTL_SECONDS },
  critical: { ...once, ttlSeconds: 15, maxTtlSeconds: DEFAULT_TTL_SECONDS, mayRepeat: false, mayConstrain: false },
}

export const isRisk = (value: unknown): value is Risk => typeof value === 'string' && Object.hasOwn(TIERS, value)

/** The tiers with a policy's own defaults, which stay inside the tiers' caps. */
export function tiersWith(defaults: unknown, problems: Problems): Tiers {
  if (defaults === undefined) return TIERS
  if (!isRecord(defaults)) {
    problems.add('defaults', 'has to be an object')
    return TIERS
  }
  problems.closed(defaults, 'defaults', Object.keys(TIERS))
  const tiers: Record<Risk, Tier> = { ...TIERS }
  for (const risk of Object.keys(TIERS).filter(isRisk)) {
    const given = defaults[risk]
    if (given === undefined) continue
    if (isRecord(given)) tiers[risk] = tierWith(risk, given, problems)
    else problems.add(`defaults.${risk}`, `has to be an object with ${list(['ttlSeconds', 'calls'])}`)
  }
  return tiers
}

function tierWith(risk: Risk, given: Readonly<Record<string, unknown>>, problems: Problems): Tier {
  const tier = TIERS[risk]
  const where = `defaults.${risk}`
  problems.closed(given, where, ['ttlSeconds', 'calls'])
  const { ttlSeconds = tier.ttlSeconds, calls = tier.calls } = given
  return {
    ...tier,
    ttlSeconds: checkTtl(ttlSeconds, { tier, where, problems }),
    calls: checkCalls(calls, { tier, where, problems }),
  }
}

interface TierContext {
  readonly tier: Tier
  readonly where: string
  readonly problems: Problems
}

export function checkTtl(value: unknown, { tier, where, problems }: TierContext): number {
  if (isCount(value) && value <= tier.maxTtlSeconds) return value
  problems.add(where, `'ttlSeconds' has to be a whole number from 1 to ${tier.maxTtlSeconds}`)
  return tier.ttlSeconds
}

export function checkCalls(value: unknown, { tier, where, problems }: TierContext): number {
  if (!isCount(value)) problems.add(where, "'calls' has to be a positive whole number")
  else if (value > 1 && !tier.mayRepeat) problems.add(where, "'calls' stays 1 for actions of risk critical")
  else return value
  return tier.calls
}
