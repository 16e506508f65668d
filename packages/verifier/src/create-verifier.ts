import type { ActionName, Api, MaybePromise } from '@hallpass/core'
import { isPromise } from '@hallpass/core'
import type { Step } from './flow/attempt.ts'
import { Attempt } from './flow/attempt.ts'
import { chain } from './flow/chain.ts'
import { coveredCall } from './flow/cover-call.ts'
import { assemble } from './flow/assemble.ts'
import { boundCredential, freshProof, genuineToken, stillSigned } from './flow/prove-caller.ts'
import { oneCredential, ownAddress, plainBody, readBody } from './flow/read-request.ts'
import { runSteps } from './flow/run-steps.ts'
import { recordedUse, redeemedUse } from './flow/spend-grant.ts'
import { metadataPath, resourceMetadata } from './metadata.ts'
import type { VerifierOptions } from './options.ts'
import { checkOptions } from './options.ts'
import { planAction } from './call/planned-action.ts'
import type { BodyReader, IncomingCall } from './request/incoming-call.ts'
import { checkRollout } from './rollout.ts'
import type { Rollout } from './rollout.ts'
import type { Verdict } from './verdict.ts'
import type { ActionVerifier, GrantOf, OpenCall, Verifier } from './verifier.ts'

/**
 * Creates the policy enforcement point of one API.
 *
 * Every request goes through the same steps in the same order: pure before stateful, cheap before costly, and the one
 * that cannot be undone last. What is unknown, missing, late, full or down refuses.
 * @throws HallpassError `configuration-invalid` where the options do not hold together.
 */
export function createVerifier<const A extends Api>(options: VerifierOptions<A>): Verifier<A> {
  const settings = checkOptions(options)
  const { api } = options
  const { issuerId: issuer, publicUrl, acceptUnbound, proofAlgorithms, nonces, checkSignature, clock } = settings
  const parts = assemble(settings)
  const { telemetry } = parts

  const proofs = { keys: parts.holderKeys, algorithms: proofAlgorithms, nonces, checkSignature }

  const beforeBody: readonly Step[] = [
    oneCredential({ issuer, acceptUnbound }), // one Authorization field, one DPoP field, no token elsewhere
    plainBody, // a body that would not be read is refused unread
    genuineToken(parts.verifyToken), // strict preflight, iss, aud, exp; then the cache, or the issuer's signature
    boundCredential, // a bound grant has a proof, an unbound one none
  ]
  const afterBody: readonly Step[] = [
    readBody(settings.bodyLimitBytes, settings.bodyTimeoutMs), // once, strictly
    ownAddress(publicUrl), // by configuration, never by Host
    freshProof(proofs), // claims, key, signature: for this very request
    coveredCall, // action, resource, parameters: what is checked is what the handler gets
    stillSigned, // the key set may have changed while this request waited
    ...parts.revocation, // only where the store is our own: the broker's signed status list
    redeemedUse(parts.spending), // one atomic operation, last because it cannot be undone
    recordedUse(parts.recorder, settings.ledgerTimeoutMs, parts.abandon), // on record before the handler runs
  ]

  const wholeFlow = [...beforeBody, ...afterBody]

  const forAction = <N extends ActionName<A>>(name: N, rollout: Rollout = {}): ActionVerifier<GrantOf<A, N>> => {
    const planned = planAction(api, name)
    const checked = checkRollout(rollout, clock())
    const begin = (call: IncomingCall) => new Attempt(planned, call, { clock, sharesRoute: checked.orElse })
    // Told apart here and not for each request: without telemetry nothing of it is on the way of one.
    const start = telemetry === undefined ? begin : (call: IncomingCall) => telemetry.begin(begin(call))
    const take: typeof runSteps =
      telemetry === undefined ? runSteps : (steps, attempt) => telemetry.within(attempt, () => runSteps(steps, attempt))
    const conclude = (attempt: Attempt, refusal: Awaited<ReturnType<Step>>) =>
      parts.conclude(attempt, refusal, checked) as MaybePromise<Verdict<GrantOf<A, N>>>
    const run = (steps: readonly Step[], attempt: Attempt) => {
      const refusal = take(steps, attempt)
      return isPromise(refusal) ? refusal.then((later) => conclude(attempt, later)) : conclude(attempt, refusal)
    }

    return {
      action: planned.action,
      verify: (call) => run(wholeFlow, start(call)),
      open(call) {
        const attempt = start(call)
        type Refused = Exclude<Verdict<GrantOf<A, N>>, { readonly kind: 'admitted' }>
        return chain(take(beforeBody, attempt), (refusal): MaybePromise<OpenCall<GrantOf<A, N>> | Refused> => {
          if (refusal !== undefined) return conclude(attempt, refusal) as MaybePromise<Refused>
          return {
            kind: 'open',
            ok: true,
            finish: (body?: BodyReader) => {
              if (body !== undefined) attempt.call = { ...attempt.call, body }
              return run(afterBody, attempt)
            },
          }
        })
      },
    }
  }

  const byName = new Map<string, ActionVerifier<never>>()
  return {
    api,
    audience: api.audience,
    issuer,
    publicUrl,
    now: clock,
    forAction,
    verify(name, call) {
      let verifier = byName.get(name) as ActionVerifier<GrantOf<A, typeof name>> | undefined
      if (verifier === undefined) {
        verifier = forAction(name)
        byName.set(name, verifier as ActionVerifier<never>)
      }
      return verifier.verify(call)
    },
    metadata: () =>
      resourceMetadata({ audience: api.audience, title: api.title, issuer, proofAlgorithms, acceptUnbound }),
    metadataPath: metadataPath(api.audience),
    flush: parts.flush,
  }
}
