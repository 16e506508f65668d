import { assertionTargets } from './assertion.ts'
import { base64urlTarget } from './base64url.ts'
import { grantTarget, taskTokenTarget } from './broker-tokens.ts'
import { callTarget } from './call.ts'
import { coverTarget } from './cover.ts'
import { decimalTarget } from './decimal.ts'
import { jsonTarget } from './json.ts'
import { keyTarget } from './key.ts'
import { proofTarget } from './proof.ts'
import { requestUrlTarget } from './request-url.ts'
import { statusListTarget } from './status-list.ts'
import type { Target } from './target.ts'

/** Everything that is fuzzed. */
export const TARGETS: readonly Target[] = [
  grantTarget,
  taskTokenTarget,
  proofTarget,
  ...assertionTargets,
  statusListTarget,
  keyTarget,
  base64urlTarget,
  jsonTarget,
  decimalTarget,
  requestUrlTarget,
  coverTarget,
  callTarget,
]
