import { generateKeyPairSync } from 'node:crypto'
import { importVerifyKey, isPromise } from '@hallpass/core'
import type { Jwk } from '@hallpass/core'
import { createVerifier } from '@hallpass/verifier'
import type { LocalIssuer } from '@hallpass/verifier'
import { admittingLedger } from '../feed/admitting-ledger.ts'
import { must, take } from '../suite/must.ts'
import { openBenchTrail } from '../world/bench-trail.ts'
import { createBenchIssuer } from '../world/grant.ts'
import { atOnce } from '../world/guarded-orders.ts'
import { ordersApi } from '../world/orders-api.ts'
import { createPresenter } from '../world/presenter.ts'
import { held } from './held.ts'
import type { Weight } from './weight.ts'

const trail = openBenchTrail()

const open = (issuer: LocalIssuer, cacheEntries?: number) =>
  createVerifier({
    api: ordersApi,
    issuer,
    ledger: admittingLedger,
    audit: trail,
    acceptUnboundGrantsThatAnyHolderCanUse: true,
    ...(cacheEntries === undefined ? {} : { cacheEntries }),
  })

/** Makes a verifier with room for so many see calls with tokens of one kind, each of them new. */
function watcher(issuer: ReturnType<typeof createBenchIssuer>, entries: number) {
  const verifier = open(issuer, entries)
  return {
    see(presenter: ReturnType<typeof createPresenter>, count: number): void {
      for (let done = 0; done < count; done += 1) {
        const verdict = atOnce(verifier.verify('order.read', presenter.call(presenter.hold())))
        must(verdict.kind === 'admitted', 'an honest call is admitted')
        void verdict.settle({ status: 200 })
      }
    },
  }
}

/** Tokens that were found genuine, up to the bound; twice as many take no more. */
export async function weighTokens(counts: readonly number[]): Promise<Weight> {
  const issuer = createBenchIssuer()
  const presenter = createPresenter(issuer, 1)
  const steps = []
  let beyond = 0
  for (const count of counts) {
    const watching = watcher(issuer, count)
    watching.see(presenter, 1)
    const before = await held()
    watching.see(presenter, count - 1)
    const full = await held()
    watching.see(presenter, count)
    beyond = ((await held()) - full) / count
    steps.push({ count, bytes: full - before })
  }
  must(beyond < 100, `a full cache does not grow (it grew by ${beyond.toFixed(0)} bytes for each token more)`)
  const { token } = presenter.hold().grant
  return { steps, detail: { tokenChars: token.length, beyondTheBoundBytes: beyond } }
}

/** Imported keys of holders. The tokens that bring them replace others in a cache that is full. */
export async function weighKeys(counts: readonly number[]): Promise<Weight> {
  const issuer = createBenchIssuer()
  const known = createPresenter(issuer, 1)
  const steps = []
  for (const count of counts) {
    const watching = watcher(issuer, count)
    watching.see(known, count)
    const before = await held()
    // One presenter for each: it keeps the keys it makes.
    for (let done = 0; done < count; done += 1) watching.see(createPresenter(issuer, 1), 1)
    steps.push({ count, bytes: (await held()) - before })
  }
  return { steps, detail: { residentBytes: await residentKey() } }
}

const FEW = 5000
const MORE = 20_000

/** What one imported key takes in the books of the system: most of it lies where Node does not count it. */
async function residentKey(): Promise<number> {
  const jwks = Array.from({ length: MORE }, publicJwk)
  const keys: unknown[] = []
  const upTo = async (count: number): Promise<number> => {
    while (keys.length < count) {
      const key = importVerifyKey(take(jwks, keys.length), 'ES256')
      must(!isPromise(key) && key.ok, 'a good key is imported')
      keys.push(key.value)
    }
    await held()
    return process.memoryUsage().rss
  }
  const few = await upTo(FEW)
  return ((await upTo(MORE)) - few) / (MORE - FEW)
}

/** No key object is made of it: those would lie beside what is weighed. */
function publicJwk(): Jwk {
  const { publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  })
  const point = (from: number): string => publicKey.subarray(from, from + 32).toString('base64url')
  return { kty: 'EC', crv: 'P-256', x: point(publicKey.length - 64), y: point(publicKey.length - 32) }
}

const KEYS = 32
const VERIFIERS = 200

/** One key more in an issuer's key set, from the difference between verifiers that know one and many. */
export async function weighKeySets(): Promise<Weight> {
  const issuer = createBenchIssuer()
  const presenter = createPresenter(issuer, 1)
  const others = Array.from({ length: KEYS - 1 }, (_, index) => ({
    ...publicJwk(),
    kid: `other-${index}`,
    alg: 'ES256',
    use: 'sig',
  }))
  const large = { issuer: issuer.issuer, jwks: () => ({ keys: [...issuer.jwks().keys, ...others] }) }
  const kept: unknown[] = []
  const weigh = async (from: LocalIssuer): Promise<number> => {
    const before = await held()
    for (let count = 0; count < VERIFIERS; count += 1) {
      const verifier = open(from, 1)
      const verdict = atOnce(verifier.verify('order.read', presenter.call(presenter.hold())))
      must(verdict.kind === 'admitted', 'an honest call is admitted')
      void verdict.settle({ status: 200 })
      kept.push(verifier)
    }
    return (await held()) - before
  }
  await weigh(issuer)
  const small = await weigh(issuer)
  const bytes = (await weigh(large)) - small
  must(kept.length === 3 * VERIFIERS, 'every verifier is still there')
  return {
    steps: [{ count: VERIFIERS * (KEYS - 1), bytes }],
    detail: { mostKeys: KEYS, verifierBytes: small / VERIFIERS },
  }
}
