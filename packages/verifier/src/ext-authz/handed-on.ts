import type { Outcome } from '@hallpass/core'

/**
 * A proxy asks before the upstream answers and never says what it answered. The use is recorded as accepted; what came of
 * it stands in the upstream's own log, under the event id it was handed.
 */
export const HANDED_ON: Outcome = { status: 202 }
