import type { RefusalReason, Refused } from '@hallpass/core'
import { STATUS, refuse, statusAt } from '@hallpass/core'
import type { Step } from '../flow/attempt.ts'
import { OUT_OF_ORDER } from '../flow/attempt.ts'
import { chain } from '../flow/chain.ts'
import type { StatusLists } from './status-lists.ts'

const REVOKED: Refused<RefusalReason> = refuse('grant-revoked', 'The status list says so')
const NOT_VALID: Refused<RefusalReason> = refuse('grant-revoked', 'The status list does not say that it is valid')

/** For a verifier whose store is its own: the grant is valid in the issuer's signed list. Any other word refuses. */
export const liveStatus =
  (lists: StatusLists): Step =>
  ({ token, now }) => {
    if (token === undefined) return OUT_OF_ORDER
    const { uri, idx } = token.claims.status.status_list
    return chain(lists.get(uri, now), (list) => {
      if ('ok' in list) return list
      const status = statusAt(list.bytes, list.bits, idx)
      if (!status.ok) return status
      if (status.value === STATUS.valid) return undefined
      return status.value === STATUS.invalid ? REVOKED : NOT_VALID
    })
  }
