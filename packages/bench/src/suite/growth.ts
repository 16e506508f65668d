import { growing } from '../growth/dimension.ts'
import { issueDimensions } from '../growth/issue-dimensions.ts'
import { liveGrants } from '../growth/ledger-dimensions.ts'
import { verifyDimensions } from '../growth/verify-dimensions.ts'
import type { Suite } from './suite.ts'

/** How the cost of one verification, one redeem and one issue grows with what there is. */
export const growth: readonly Suite[] = [...verifyDimensions, liveGrants, ...issueDimensions].map(growing)
