import { expect } from 'vitest'
import { policyMatchers } from './policy-test/policy-matchers.ts'
import type { ExpectedApproval, ExpectedPermit } from './policy-test/policy-matchers.ts'
import type { RefusalReason } from '@hallpass/core'

expect.extend(policyMatchers)

interface PolicyMatchers {
  /** The policy permits, with at least these limits as given. */
  toPermit(expected?: ExpectedPermit): void
  /** The policy denies, for this reason or by this rule. */
  toDeny(reasonOrRule?: RefusalReason | (string & {})): void
  /** The policy asks for a person. */
  toRequireApproval(expected?: ExpectedApproval): void
}

declare module 'vitest' {
  // The parameter has to read as Vitest's own, or the two do not merge.
  // eslint-disable-next-line typescript/no-explicit-any
  interface Matchers<T = any> extends PolicyMatchers {}
}
