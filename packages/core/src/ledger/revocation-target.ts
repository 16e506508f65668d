/** What a revocation names. `everything` also stops issuing. */
export type RevocationTarget =
  | { readonly kind: 'grant'; readonly jti: string }
  | { readonly kind: 'task'; readonly txn: string }
  | { readonly kind: 'agent'; readonly clientId: string }
  | { readonly kind: 'owner'; readonly owner: string }
  | { readonly kind: 'action'; readonly audience: string; readonly action: string }
  | { readonly kind: 'policy-version'; readonly version: string }
  | { readonly kind: 'everything' }

/** What a revocation stops until it is lifted; a grant or a task is dead for good instead. */
export type StandingTarget = Exclude<RevocationTarget, { readonly kind: 'grant' | 'task' }>
