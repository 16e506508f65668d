import { ISSUE_FUNCTIONS } from './issue-functions.ts'
import { KEEP_FUNCTIONS } from './keep-functions.ts'
import { REDEEM_FUNCTIONS } from './redeem-functions.ts'
import { REVOKE_FUNCTIONS } from './revoke-functions.ts'
import { TABLES } from './tables.ts'
import { WORK_FUNCTIONS } from './work-functions.ts'

/**
 * Every version of the schema, oldest first: number n takes a database from version n - 1 to n. What stands here was
 * shipped: it is never edited, only added to.
 */
export const MIGRATIONS: readonly string[] = [
  [TABLES, WORK_FUNCTIONS, REDEEM_FUNCTIONS, ISSUE_FUNCTIONS, REVOKE_FUNCTIONS, KEEP_FUNCTIONS].join('\n'),
]
