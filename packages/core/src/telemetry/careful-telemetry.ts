import { HallpassError } from '../fault.ts'
import { isPromise } from '../result.ts'
import type { MetricAttributes, SpanAttributes, SpanName, Telemetry, TelemetrySpan } from './telemetry.ts'
import { parseTraceParent } from './trace-parent.ts'

const MAX_TEXT_CHARS = 256

/**
 * A telemetry that cannot fail what it tells of: whatever it throws is dropped, work runs exactly once and its own result
 * counts, texts are cut at 256 characters, and only a well-formed `traceparent` comes out of it.
 *
 * @throws HallpassError `configuration-invalid` for what is no telemetry.
 */
export function carefulTelemetry(telemetry: Telemetry | undefined): Telemetry | undefined {
  if (telemetry === undefined) return undefined
  if (typeof telemetry?.span !== 'function' || typeof telemetry.count !== 'function') {
    throw new HallpassError(
      'configuration-invalid',
      'telemetry is openTelemetry() of @hallpass/core/opentelemetry, or left out',
    )
  }
  return {
    injects: telemetry.injects,
    span(name, start = {}) {
      const { attributes, ...rest } = start
      return new CarefulSpan(
        attempt(() => telemetry.span(name, attributes === undefined ? rest : { ...rest, attributes: cut(attributes) })),
      )
    },
    count: (name, by, attributes) => attempt(() => telemetry.count(name, by, cut(attributes))),
    duration: (name, seconds, attributes) => attempt(() => telemetry.duration(name, seconds, cut(attributes))),
    gauge(name, attributes, read) {
      const stop = attempt(() => telemetry.gauge(name, cut(attributes), () => attempt(read) ?? Number.NaN))
      return () => attempt(() => stop?.())
    },
  }
}

class CarefulSpan implements TelemetrySpan {
  readonly traceparent: string | undefined
  readonly #span: TelemetrySpan | undefined

  constructor(span: TelemetrySpan | undefined) {
    this.#span = span
    this.traceparent = attempt(() => parseTraceParent(span?.traceparent))
  }

  rename(name: SpanName): void {
    attempt(() => this.#span?.rename(name))
  }

  set(attributes: SpanAttributes): void {
    attempt(() => this.#span?.set(cut(attributes)))
  }

  link(traceparent: string): void {
    attempt(() => this.#span?.link(traceparent))
  }

  run<T>(work: () => T): T {
    const once = new Once(work)
    // It sees nothing of what the work returns, and may call it late or twice.
    attempt(() => this.#span?.run(() => void once.outcome()))
    const outcome = once.outcome()
    if ('error' in outcome) throw outcome.error
    return outcome.value
  }

  end(): void {
    attempt(() => this.#span?.end())
  }
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown }

class Once<T> {
  readonly #work: () => T
  #outcome: Outcome<T> | undefined = undefined

  constructor(work: () => T) {
    this.#work = work
  }

  outcome(): Outcome<T> {
    this.#outcome ??= this.#settle()
    return this.#outcome
  }

  #settle(): Outcome<T> {
    try {
      return { value: this.#work() }
    } catch (error) {
      return { error }
    }
  }
}

function attempt<T>(work: () => T): T | undefined {
  try {
    const done = work()
    if (isPromise(done)) done.then(undefined, () => undefined)
    return done
  } catch {
    return undefined
  }
}

/** A copy without what is undefined: the telemetry may do with it as it likes. */
function cut<A extends SpanAttributes | MetricAttributes>(attributes: A): A {
  const copy: Record<string, unknown> = {}
  for (const name in attributes) {
    const value: unknown = attributes[name]
    if (value === undefined) continue
    copy[name] = typeof value === 'string' && value.length > MAX_TEXT_CHARS ? value.slice(0, MAX_TEXT_CHARS) : value
  }
  return copy as A
}
