/** Names on the wire. Those that come from drafts are here and nowhere else, so that a rename is one commit. */
export const PROFILE_VERSION = '1'

export const GRANT_TYPE = {
  clientCredentials: 'client_credentials',
  tokenExchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
} as const

export const TOKEN_TYPE_URI = {
  accessToken: 'urn:ietf:params:oauth:token-type:access_token',
  idToken: 'urn:ietf:params:oauth:token-type:id_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
} as const

export const CLIENT_ASSERTION_TYPE = {
  jwtBearer: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  jwtSpiffe: 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe',
} as const

export const DETAIL_TYPE = {
  task: 'urn:hallpass:task',
  toolCall: 'urn:hallpass:tool-call',
  api: 'urn:hallpass:api',
  operator: 'urn:hallpass:operator',
  signaler: 'urn:hallpass:signaler',
} as const

export const TYP = {
  accessToken: 'at+jwt',
  proof: 'dpop+jwt',
  statusList: 'statuslist+jwt',
  securityEvent: 'secevent+jwt',
  checkpoint: 'hallpass-checkpoint+jwt',
  sourceCheckpoint: 'hallpass-source-checkpoint+jwt',
} as const

/** Types of security events (RFC 8417). No standard one says that a single access token was revoked. */
export const SECURITY_EVENT = {
  /** A run of the revocation log, for verifiers of this profile. */
  revocations: 'urn:hallpass:event:revocations',
  /** One grant is dead. */
  grantRevoked: 'urn:hallpass:event:grant-revoked',
  /** An owner, action, policy version or everything is stopped. */
  stopped: 'urn:hallpass:event:stopped',
  /** An agent is stopped (CAEP 1.0): other receivers understand this one. */
  sessionRevoked: 'https://schemas.openid.net/secevent/caep/event-type/session-revoked',
} as const

/** Private claims are URI-named (RFC 7519 section 4.2). */
export const CLAIM = {
  /** `{ version, digest }` of the policy that decided. */
  policy: 'urn:hallpass:policy',
  /** `{ tasks, agents, owner }`: root task first; one element each until delegation exists. */
  path: 'urn:hallpass:path',
  /** `{ iss, sub, jkt, aid }` in a task token: the workload identity and key it was opened with. */
  identity: 'urn:hallpass:identity',
  /** `{ iss, sub, tenant? }`: the user on whose behalf the agent acts, with the issuer that vouched for them. */
  onBehalfOf: 'urn:hallpass:on-behalf-of',
} as const

/** Proof claims beyond RFC 9449. `content_digest` is from the MCP ext-auth DPoP draft; `query_digest` is ours. Both in RFC 9530 value syntax. */
export const PROOF_CLAIM = { contentDigest: 'content_digest', queryDigest: 'query_digest' } as const

export const ERROR_INSUFFICIENT_DETAILS = 'insufficient_authorization_details'
export const PROBLEM_BASE = 'urn:hallpass:problem:'

export const DEFAULT_TTL_SECONDS = 60
export const MAX_TTL_SECONDS = 900
export const MAX_TASK_SECONDS = 24 * 60 * 60
export const MAX_SKEW_SECONDS = 30
export const DEFAULT_SKEW_SECONDS = 5
/** A proof is accepted this long after its `iat`, and a skew before it. */
export const PROOF_MAX_AGE_SECONDS = 60
export const MAX_GRANT_BYTES = 8192
export const MAX_PROOF_BYTES = 4096
export const MAX_ASSERTION_BYTES = 8192
/** A message of the revocation feed carries many revocations under one signature. */
export const MAX_FEED_MESSAGE_BYTES = 262_144
