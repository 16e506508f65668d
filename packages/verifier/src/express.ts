export { grantOf, requireGrant } from './express/require-grant.ts'
export type { GrantGuard, RequireGrantOptions } from './express/require-grant.ts'
export { jsonBody } from './express/json-body.ts'
export type { JsonBodyOptions } from './express/json-body.ts'
