import type { Policy } from '@hallpass/policy'

export interface PolicyVersion {
  readonly version: string
  readonly digest: string
}

const known = new WeakMap<Policy, PolicyVersion>()

/** Which policy decided, as tokens and the trail say it: one frozen object for each, so that its JSON is made once. */
export function versionOf(policy: Policy): PolicyVersion {
  let version = known.get(policy)
  if (version === undefined) {
    version = Object.freeze({ version: policy.version, digest: policy.digest })
    known.set(policy, version)
  }
  return version
}
