import type { Scenario } from '../scenario.ts'
import { closed } from './closed.ts'
import { connections } from './connections.ts'
import { counting } from './counting.ts'
import { dead } from './dead.ts'
import { frameworks } from './frameworks.ts'
import { ledgers } from './ledgers.ts'
import { order } from './order.ts'
import { record } from './record.ts'
import { scope } from './scope.ts'
import { secrets } from './secrets.ts'
import { seen } from './seen.ts'
import { urls } from './urls.ts'

export const scenarios: readonly Scenario[] = [
  ...dead,
  ...scope,
  ...order,
  ...counting,
  ...closed,
  ...ledgers,
  ...record,
  ...seen,
  ...secrets,
  ...urls,
  ...connections,
  ...frameworks,
]
