import type { JwkSet, MaybePromise } from '@hallpass/core'
import type { KeySource } from './cached-keys.ts'

/** The key set of a broker in this process: asked for again whenever it may matter, since asking costs nothing. */
export const localKeySource = (broker: { jwks(): MaybePromise<JwkSet> }): KeySource => ({
  refreshSeconds: 1,
  staleSeconds: 60,
  coolDownSeconds: 0,
  retrySeconds: 0,
  load: () => broker.jwks(),
})
