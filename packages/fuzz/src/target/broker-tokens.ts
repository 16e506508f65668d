import {
  checkGrantClaims,
  checkTaskTokenClaims,
  importVerifyKey,
  MAX_GRANT_BYTES,
  ok,
  preflight,
  refuse,
  verifySignature,
} from '@hallpass/core'
import type { JsonObject, Result, VerifyKey } from '@hallpass/core'
import { createPublicKey } from 'node:crypto'
import { jwtVerify } from 'jose'
import { KEYS } from '../keys.ts'
import { buildToken, makeRecipe } from '../mutate/token.ts'
import type { TokenRecipe, TokenSeed } from '../mutate/token.ts'
import { grantIssues, taskIssues } from '../strictness/profile.ts'
import type { TokenKind } from '../strictness/evidence.ts'
import { joseReads, judgeToken } from './judge-token.ts'
import { AUDIENCE, GRANT, ISSUER, NOW, TASK_TOKEN, WORDS } from './seed-tokens.ts'
import { defineTarget } from './target.ts'
import type { Target } from './target.ts'

const SKEW = 5
const issuerKey = importVerifyKey(KEYS.issuer.jwk, 'ES256')
const joseKey = createPublicKey({ key: { ...KEYS.issuer.jwk }, format: 'jwk' })

interface Profile {
  readonly name: 'grant' | 'task-token'
  readonly about: string
  readonly seeds: readonly JsonObject[]
  readonly audience: string
  readonly maxSeconds: number
  readonly issues: TokenKind['profile']
  readonly check: typeof checkGrantClaims | typeof checkTaskTokenClaims
}

const REQUIRED = ['exp', 'iat', 'sub', 'client_id', 'jti', 'txn', 'authorization_details']

function brokerToken({ name, about, seeds, audience, maxSeconds, issues, check }: Profile): Target {
  const kind: TokenKind = {
    name,
    maxBytes: MAX_GRANT_BYTES,
    typ: ['at+jwt', 'application/at+jwt'],
    allowsJwk: false,
    glanceAt: NOW,
    profile: issues,
  }

  async function ours(token: string): Promise<Result<unknown>> {
    const read = preflight(token, { typ: ['at+jwt'], alg: ['ES256'], maxBytes: MAX_GRANT_BYTES }, NOW)
    if (!read.ok) return read
    const { header, payload, signingInput, signature } = read.value
    const key: Result<VerifyKey> = await issuerKey
    if (!key.ok) return key
    if (!(await verifySignature(key.value, signingInput, signature))) return refuse('token-signature')
    const claims = check(payload, { issuer: ISSUER, audience, now: NOW, skewSeconds: SKEW })
    return claims.ok ? ok({ header, payload: claims.value }) : claims
  }

  const judge = (token: string) =>
    joseReads(async () => {
      const { protectedHeader, payload } = await jwtVerify(token, joseKey, {
        algorithms: ['ES256'],
        typ: 'at+jwt',
        issuer: ISSUER,
        audience,
        requiredClaims: REQUIRED,
        maxTokenAge: maxSeconds,
        clockTolerance: SKEW,
        currentDate: new Date(NOW * 1000),
      })
      return { header: protectedHeader, payload }
    })

  return defineTarget<TokenRecipe>({
    name,
    about,
    make(random) {
      const payload = random.pick(seeds)
      const seed: TokenSeed = {
        header: { alg: 'ES256', typ: 'at+jwt', kid: 'k1' },
        payload,
        key: 'issuer',
        words: WORDS,
      }
      return makeRecipe(random, seed)
    },
    judge(recipe) {
      const token = buildToken(recipe)
      return judgeToken({ token, kind, ours: () => ours(token), judge: () => judge(token) })
    },
  })
}

export const grantTarget = brokerToken({
  name: 'grant',
  about: 'preflight, signature and claims of a grant, against jose.jwtVerify and the profile as a schema',
  seeds: GRANT,
  audience: AUDIENCE,
  maxSeconds: 900,
  issues: (payload) => grantIssues(payload, NOW, AUDIENCE),
  check: checkGrantClaims,
})

export const taskTokenTarget = brokerToken({
  name: 'task-token',
  about: 'the same of a task token',
  seeds: TASK_TOKEN,
  audience: ISSUER,
  maxSeconds: 24 * 60 * 60,
  issues: (payload) => taskIssues(payload, NOW),
  check: checkTaskTokenClaims,
})
