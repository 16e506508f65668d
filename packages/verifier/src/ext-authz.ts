export { extAuthz } from './ext-authz/ext-authz.ts'
export type { ExtAuthzListener, ExtAuthzOptions } from './ext-authz/ext-authz.ts'
export type { EnvoyOptions } from './ext-authz/envoy.ts'
