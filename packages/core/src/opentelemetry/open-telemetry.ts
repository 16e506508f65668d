import type { Attributes, Context, MeterProvider, Span, SpanContext, TracerProvider } from '@opentelemetry/api'
import { context, isSpanContextValid, metrics, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api'
import { HallpassError } from '../fault.ts'
import type { SpanAttributes, SpanName, Telemetry, TelemetrySpan } from '../telemetry/telemetry.ts'
import { parseTraceParent } from '../telemetry/trace-parent.ts'
import type { ReadGauge } from './metering.ts'
import { Metering } from './metering.ts'

export interface OpenTelemetryOptions {
  /** Default: the registered one, also where it is registered later. */
  readonly tracerProvider?: TracerProvider
  /** Default: the registered one, also where it is registered later. */
  readonly meterProvider?: MeterProvider
  /**
   * What the `traceparent` of a request is worth where no span is active. `parent` (default): the trace goes on, and its
   * sender decides whether it is sampled. `link`: a trace of one's own that names the sender's, for APIs open to strangers.
   */
  readonly incoming?: 'parent' | 'link'
  /** False where `fetch` is instrumented and sends a `traceparent` by itself; default true. */
  readonly inject?: boolean
}

const SCOPE = '@hallpass/core'
const KINDS = { client: SpanKind.CLIENT, server: SpanKind.SERVER } as const

/**
 * Sends traces and metrics to OpenTelemetry, through `@opentelemetry/api` alone: without an SDK nothing is sent.
 *
 * @throws HallpassError `configuration-invalid` for an option that is not one.
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Telemetry {
  const { incoming = 'parent', inject = true } = options
  if (incoming !== 'parent' && incoming !== 'link') {
    throw new HallpassError('configuration-invalid', "openTelemetry: incoming is 'parent' or 'link'")
  }
  const tracer = (options.tracerProvider ?? trace).getTracer(SCOPE)
  const gauges = new Set<ReadGauge>()
  let metering: Metering | undefined

  // An instrument of a time before the SDK stays without effect, so they are made anew when the provider is another.
  const meters = (): Metering => {
    const provider = options.meterProvider ?? metrics.getMeterProvider()
    if (metering?.provider !== provider) {
      metering = new Metering(provider, SCOPE)
      for (const gauge of gauges) metering.attach(gauge)
    }
    return metering
  }

  return {
    injects: inject,
    span(name, { kind, parent, remote, attributes } = {}) {
      meters()
      const active = context.active()
      const isInside = isSpanContextValid(trace.getSpanContext(active) ?? NOWHERE)
      const claimed = parent === undefined || isInside ? undefined : spanContextOf(parent, remote === true)
      const isLinked = remote === true && incoming === 'link'
      const from = claimed === undefined || isLinked ? active : trace.setSpanContext(active, claimed)
      const span = tracer.startSpan(
        name,
        {
          kind: kind === undefined ? SpanKind.INTERNAL : KINDS[kind],
          ...(attributes !== undefined && { attributes: attributes as Attributes }),
          ...(claimed !== undefined && isLinked && { links: [{ context: claimed }] }),
        },
        from,
      )
      return new OpenTelemetrySpan(span, from)
    },
    count: (name, by, attributes) =>
      meters()
        .counter(name)
        .add(by, attributes as Attributes),
    duration: (name, seconds, attributes) =>
      meters()
        .histogram(name)
        .record(seconds, attributes as Attributes),
    gauge(name, attributes, read) {
      const now = meters()
      const gauge: ReadGauge = {
        name,
        callback(result) {
          const value = read()
          if (Number.isFinite(value)) result.observe(value, attributes as Attributes)
        },
      }
      gauges.add(gauge)
      now.attach(gauge)
      return () => {
        gauges.delete(gauge)
        metering?.detach(gauge)
      }
    },
  }
}

class OpenTelemetrySpan implements TelemetrySpan {
  readonly traceparent: string | undefined
  readonly #span: Span
  readonly #from: Context

  constructor(span: Span, from: Context) {
    const { traceId, spanId, traceFlags } = span.spanContext()
    this.#span = span
    this.#from = from
    this.traceparent = parseTraceParent(`00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}`)
  }

  rename(name: SpanName): void {
    this.#span.updateName(name)
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes(attributes as Attributes)
    if (attributes['error.type'] !== undefined) this.#span.setStatus({ code: SpanStatusCode.ERROR })
  }

  link(traceparent: string): void {
    const to = spanContextOf(traceparent, true)
    if (to !== undefined) this.#span.addLink({ context: to })
  }

  run<T>(work: () => T): T {
    return context.with(trace.setSpan(this.#from, this.#span), work)
  }

  end(): void {
    this.#span.end()
  }
}

const NOWHERE: SpanContext = { traceId: '', spanId: '', traceFlags: TraceFlags.NONE }

/** Without `tracestate`: what vendors write there is theirs, and is neither believed nor sent on. */
function spanContextOf(text: string, isRemote: boolean): SpanContext | undefined {
  const [, traceId, spanId, flags] = parseTraceParent(text)?.split('-') ?? []
  if (traceId === undefined || spanId === undefined) return undefined
  return { traceId, spanId, traceFlags: flags === '01' ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote }
}
