import { doors } from './doors.ts'
import { nevers } from './nevers.ts'
import type { Requirement } from './requirement.ts'
import { rules } from './rules.ts'

export type { Requirement } from './requirement.ts'
export const requirements: readonly Requirement[] = [...nevers, ...rules, ...doors]
