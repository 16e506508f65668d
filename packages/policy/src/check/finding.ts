/** One thing `policy.check()` noticed; nothing here makes a policy invalid. */
export interface Finding {
  readonly kind:
    | 'rule-never-matches'
    | 'agent-without-permit'
    | 'action-without-rule'
    | 'purpose-unused'
    | 'identity-shared'
  /** The rule, agent, action or purpose. */
  readonly name: string
  readonly message: string
}
