import { audit } from './audit.ts'
import { auditDelivery } from './audit-delivery.ts'
import { biscuit } from './biscuit.ts'
import { growth } from './growth.ts'
import { http } from './http.ts'
import { issue } from './issue.ts'
import { memory } from './memory.ts'
import { peers } from './peers.ts'
import { pool } from './pool.ts'
import { postgres } from './postgres.ts'
import { proof } from './proof.ts'
import { redeem } from './redeem.ts'
import { redis } from './redis.ts'
import { scale } from './scale.ts'
import { size } from './size.ts'
import { revocation, revocationPostgres, revocationRedis } from './revocation.ts'
import { sqlite } from './sqlite.ts'
import type { Suite } from './suite.ts'
import { verify } from './verify.ts'

/** Every suite, in the order of the table. */
export const suites: readonly Suite[] = [
  verify,
  pool,
  peers,
  biscuit,
  proof,
  issue,
  redeem,
  sqlite,
  postgres,
  redis,
  audit,
  auditDelivery,
  http,
  scale,
  size,
  revocation,
  revocationRedis,
  revocationPostgres,
  memory,
  ...growth,
]
