export { grantOf, requireGrant } from './hono/require-grant.ts'
export type { GrantVariables, RequireGrantOptions } from './hono/require-grant.ts'
