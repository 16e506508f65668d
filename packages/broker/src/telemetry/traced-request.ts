import type { BrokerOperation, SpanAttributes, TelemetrySpan } from '@hallpass/core'

/** The span of one request to the broker, where somebody traces. */
export class TracedRequest {
  /** W3C `traceparent`, for the events of this request. */
  readonly traceparent: string | undefined
  operation: BrokerOperation
  readonly #span: TelemetrySpan

  constructor(span: TelemetrySpan, operation: BrokerOperation) {
    this.#span = span
    this.traceparent = span.traceparent
    this.operation = operation
  }

  /** What it turned out to be. */
  is(operation: BrokerOperation): void {
    this.operation = operation
    this.#span.rename(`hallpass.broker ${operation}`)
  }

  set(attributes: SpanAttributes): void {
    this.#span.set(attributes)
  }

  link(traceparent: string): void {
    this.#span.link(traceparent)
  }
}
