import type { Jwk } from '@hallpass/core'

/** Servers that answer `GET /orders/:id`, each in a process of its own, alike in everything but who checks the caller. */
export const SERVER_KINDS = [
  'express.open',
  'express.verify',
  'express.hallpass',
  'express.express-jwt',
  'express.oauth2',
  'express.oauth2-dpop',
  'fastify.open',
  'fastify.verify',
  'fastify.hallpass',
  'fastify.jwt-cache',
] as const

export type ServerKind = (typeof SERVER_KINDS)[number]

/** A grant and the private key of its holder, handed to the process that makes the load. */
export interface HandedGrant {
  readonly token: string
  readonly key?: Jwk
}

/** What a server says when it listens. */
export interface Listening {
  readonly port: number
  readonly grants: {
    readonly bound: readonly HandedGrant[]
    readonly unbound: readonly HandedGrant[]
    /** Good for one use. */
    readonly single: HandedGrant
    readonly revoked: HandedGrant
    readonly expired: HandedGrant
  }
}
