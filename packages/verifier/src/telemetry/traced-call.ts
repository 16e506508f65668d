import type { SpanAttributes, TelemetrySpan } from '@hallpass/core'

/** The span of one guarded call, where somebody traces. A class for the reason that `Attempt` is one. */
export class TracedCall {
  readonly span: TelemetrySpan
  /** W3C `traceparent`, for the events of this call and for whoever redeems it. */
  readonly traceparent: string | undefined
  /** Milliseconds on a clock that only goes forward. */
  readonly since: number

  constructor(span: TelemetrySpan) {
    this.span = span
    this.traceparent = span.traceparent
    this.since = performance.now()
  }

  /** Closes it, and says how long it took in seconds. */
  end(attributes: SpanAttributes): number {
    this.span.set(attributes)
    this.span.end()
    return (performance.now() - this.since) / 1000
  }
}
