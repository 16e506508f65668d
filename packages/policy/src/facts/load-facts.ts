import { canonicalize, isPromise, sha256Base64url } from '@hallpass/core'
import type { JsonValue, MaybePromise } from '@hallpass/core'
import type { Ask } from '../request/ask.ts'
import { RequestView } from '../request/request-view.ts'
import type { Looked } from '../request/request-view.ts'
import { kindOf } from '../decision/source-site.ts'
import type { Fact } from './fact.ts'
import { NotData, snapshot } from './snapshot.ts'

interface LoadedFact {
  readonly ok: true
  readonly name: string
  readonly value: unknown
  readonly looked: Looked
}

interface FailedFact {
  readonly ok: false
  readonly name: string
  readonly detail: string
  readonly cause?: unknown
}

export interface LoadedFacts {
  readonly byName: ReadonlyMap<string, LoadedFact>
  readonly failed: readonly FailedFact[]
  /** SHA-256 over the canonical JSON of every fact that was loaded. */
  readonly digest: string
}

/**
 * Loads these facts side by side, each within its timeout. What is `given` takes the place of a fact's own loading: a
 * function as its loader, anything else as its value, which is then taken to be about this resource and parameters only.
 */
export function loadFacts(
  names: readonly string[],
  ask: Ask,
  given: Readonly<Record<string, unknown>>,
): MaybePromise<LoadedFacts> {
  const facts = names.toSorted().map((name): MaybePromise<LoadedFact | FailedFact> => {
    const fact = ask.model.facts.get(name)
    if (fact === undefined) return { ok: false, name, detail: `the policy has no fact '${name}'` }
    const instead = Object.hasOwn(given, name) ? given[name] : fact.load
    if (typeof instead === 'function') return load({ ...fact, load: instead as Fact['load'] }, ask)
    return keep(name, instead, { resource: true, parameters: true })
  })
  const now = facts.filter((fact): fact is LoadedFact | FailedFact => !isPromise(fact))
  if (now.length === facts.length) return gather(now)
  return Promise.all(facts.map((fact) => Promise.resolve(fact))).then(gather)
}

function gather(facts: readonly (LoadedFact | FailedFact)[]): LoadedFacts {
  const loaded = facts.filter((fact) => fact.ok)
  const digest = sha256Base64url(
    canonicalize(Object.fromEntries(loaded.map(({ name, value }) => [name, asJson(value)]))),
  )
  return {
    byName: new Map(loaded.map((fact) => [fact.name, fact])),
    failed: facts.filter((fact) => !fact.ok),
    digest: `sha-256:${digest}`,
  }
}

/** Decimals as their text; everything else in a snapshot is JSON. */
const asJson = (value: unknown): JsonValue => JSON.parse(JSON.stringify(value)) as JsonValue

/** Loads one fact: at once where its loader answers at once, else within its timeout. */
function load({ name, load: run, timeoutMs }: Fact, ask: Ask): MaybePromise<LoadedFact | FailedFact> {
  const { plain, looked } = new RequestView(ask, true)
  const controller = new AbortController()
  try {
    const answer = run(plain, controller.signal)
    if (!isPromise(answer)) return keep(name, answer, looked)
    return withTimeout(answer, timeoutMs).then(
      (first) => {
        if (first !== LATE) return keep(name, first.value, looked)
        controller.abort()
        return { ok: false, name, detail: `fact '${name}' took longer than ${timeoutMs} ms` }
      },
      (thrown: unknown) => notLoaded(name, thrown),
    )
  } catch (thrown) {
    return notLoaded(name, thrown)
  }
}

const LATE = Symbol('late')

/** Resolves with the answer or with `LATE`; what a late answer does then is of no use and ends no process. */
async function withTimeout(
  answer: PromiseLike<unknown>,
  timeoutMs: number,
): Promise<{ readonly value: unknown } | typeof LATE> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), timeoutMs)
  })
  try {
    return await Promise.race([Promise.resolve(answer).then((value) => ({ value })), late])
  } finally {
    clearTimeout(timer)
  }
}

const notLoaded = (name: string, thrown: unknown): FailedFact =>
  failedFact(name, `fact '${name}' could not be loaded: ${kindOf(thrown)}`, thrown)

function keep(name: string, value: unknown, looked: Looked): LoadedFact | FailedFact {
  try {
    return { ok: true, name, value: snapshot(value, `fact '${name}'`), looked }
  } catch (thrown) {
    return failedFact(
      name,
      thrown instanceof NotData ? `${thrown.message}; facts are plain data` : `fact '${name}' cannot be read`,
      thrown,
    )
  }
}

function failedFact(name: string, detail: string, cause: unknown): FailedFact {
  const failed: FailedFact = { ok: false, name, detail }
  return Object.defineProperty(failed, 'cause', { value: cause, enumerable: false })
}
