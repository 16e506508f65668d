import type { Scenario } from '../scenario.ts'
import { dead } from './dead.ts'
import { order } from './order.ts'
import { scope } from './scope.ts'

export const scenarios: readonly Scenario[] = [...dead, ...scope, ...order]
