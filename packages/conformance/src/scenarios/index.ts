import type { Scenario } from '../scenario.ts'
import { closed } from './closed.ts'
import { counting } from './counting.ts'
import { dead } from './dead.ts'
import { ledgers } from './ledgers.ts'
import { order } from './order.ts'
import { record } from './record.ts'
import { scope } from './scope.ts'
import { seen } from './seen.ts'

export const scenarios: readonly Scenario[] = [
  ...dead,
  ...scope,
  ...order,
  ...counting,
  ...closed,
  ...ledgers,
  ...record,
  ...seen,
]
