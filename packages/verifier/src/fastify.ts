import type { HallpassDeclaration } from './fastify/declaration.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The action this route is, or `false` for a public route. */
    hallpass?: HallpassDeclaration
  }
}

export { grantOf, hallpass } from './fastify/hallpass.ts'
export type { HallpassPluginOptions } from './fastify/hallpass.ts'
export type { HallpassDeclaration, OldAuthentication } from './fastify/declaration.ts'
