import { ISSUE_FUNCTIONS } from './issue-functions.ts'
import { KEEP_FUNCTIONS } from './keep-functions.ts'
import { OUTBOX_FUNCTIONS, OUTBOX_TABLES } from './outbox.ts'
import { REDEEM_FUNCTIONS } from './redeem-functions.ts'
import { REVOKE_FUNCTIONS } from './revoke-functions.ts'
import { TABLES } from './tables.ts'
import { WORK_FUNCTIONS } from './work-functions.ts'

/** Functions of version 1 as they are now: of those, version 2 has other texts. */
const again = (functions: string): string =>
  functions.replaceAll(/CREATE TYPE [^;]*;/g, '').replaceAll('CREATE FUNCTION', 'CREATE OR REPLACE FUNCTION')

/**
 * Every version of the schema, oldest first: number n takes a database from version n - 1 to n. Tables are never edited,
 * only added to. Functions stand here once, as the newest version has them, and are replaced where an older one is found.
 */
export const MIGRATIONS: readonly string[] = [
  [TABLES, WORK_FUNCTIONS, REDEEM_FUNCTIONS, ISSUE_FUNCTIONS, REVOKE_FUNCTIONS, KEEP_FUNCTIONS].join('\n'),
  [OUTBOX_TABLES, OUTBOX_FUNCTIONS, again(REDEEM_FUNCTIONS), again(KEEP_FUNCTIONS)].join('\n'),
]
