/** What a span may be called. An action is one of the catalog, so there are as many names as actions. */
export type SpanName =
  | `execute_tool ${string}`
  | `hallpass.ask ${BrokerOperation}`
  | `hallpass.broker ${BrokerOperation}`
  | 'hallpass.revocation'
  | 'hallpass.send'
  | 'hallpass.task'
  | 'hallpass.trigger'
  | 'hallpass.verify'

/** What a broker is asked to do. */
export type BrokerOperation =
  | 'api_token'
  | 'audit'
  | 'end_task'
  | 'grant'
  | 'introspect'
  | 'open_task'
  | 'poll'
  | 'redeem'
  | 'renew_task'
  | 'revocations'
  | 'revoke'
  | 'signals'
  | 'token'

/** What is named on spans and on metrics: words of the code, of the catalog and of the policy, so there are few of each. */
export interface MetricAttributes {
  readonly 'error.type'?: string | undefined
  /** `client_id` of a registered agent. */
  readonly 'gen_ai.agent.id'?: string | undefined
  readonly 'gen_ai.tool.name'?: string | undefined
  readonly 'hallpass.action'?: string | undefined
  readonly 'hallpass.audience'?: string | undefined
  readonly 'hallpass.end'?: string | undefined
  readonly 'hallpass.operation'?: string | undefined
  readonly 'hallpass.outcome'?: string | undefined
  readonly 'hallpass.purpose'?: string | undefined
  readonly 'hallpass.reason'?: string | undefined
  readonly 'hallpass.role'?: 'broker' | 'verifier' | undefined
  readonly 'hallpass.source'?: 'feed' | 'status_list' | undefined
  readonly 'hallpass.target'?: string | undefined
  readonly 'hallpass.trigger'?: string | undefined
  readonly 'hallpass.verdict'?: string | undefined
}

/** What else a span may say: ids, which no metric has. Never a token, proof, key, parameter value or free text. */
export interface SpanAttributes extends MetricAttributes {
  readonly 'gen_ai.operation.name'?: 'execute_tool' | undefined
  readonly 'gen_ai.tool.call.id'?: string | undefined
  readonly 'gen_ai.tool.type'?: 'extension' | undefined
  readonly 'hallpass.batch.given_back'?: number | undefined
  readonly 'hallpass.batch.redeemed'?: number | undefined
  readonly 'hallpass.batch.refused'?: number | undefined
  readonly 'hallpass.batch.settled'?: number | undefined
  readonly 'hallpass.effect'?: 'permit' | 'deny' | undefined
  readonly 'hallpass.event.id'?: string | undefined
  readonly 'hallpass.grant.id'?: string | undefined
  readonly 'hallpass.policy.version'?: string | undefined
  readonly 'hallpass.revoked.grants'?: number | undefined
  readonly 'hallpass.revoked.tasks'?: number | undefined
  readonly 'hallpass.rules'?: string | undefined
  readonly 'hallpass.task.id'?: string | undefined
  readonly 'http.request.method'?: string | undefined
  readonly 'http.response.status_code'?: number | undefined
}

export type CounterName =
  | 'hallpass.grants.issued'
  | 'hallpass.grants.refused'
  | 'hallpass.grants.revoked'
  | 'hallpass.ledger.errors'
  | 'hallpass.revocations'
  | 'hallpass.tasks.ended'
  | 'hallpass.tasks.opened'
  | 'hallpass.tasks.refused'
  | 'hallpass.traffic.refused'
  | 'hallpass.triggers.fired'
  | 'hallpass.uses'
  | 'hallpass.verifications'

/** In seconds. */
export type DurationName =
  | 'gen_ai.execute_tool.duration'
  | 'hallpass.ask.duration'
  | 'hallpass.broker.request.duration'
  | 'hallpass.verify.duration'

export type GaugeName = 'hallpass.audit.backlog' | 'hallpass.feed.streams' | 'hallpass.revocation.staleness'

export interface SpanStart {
  readonly kind?: 'client' | 'server'
  /** W3C `traceparent` of what this is a part of, where no span is active. What came with a request is a claim. */
  readonly parent?: string | undefined
  /** The parent is a claim of whoever sent the request. */
  readonly remote?: true
  readonly attributes?: SpanAttributes
}

/** One piece of work. Ended once. */
export interface TelemetrySpan {
  /** W3C `traceparent` of this span, to send on and to put on record; undefined where nothing is traced. */
  readonly traceparent: string | undefined
  rename(name: SpanName): void
  /** A span that gets `error.type` failed. */
  set(attributes: SpanAttributes): void
  /** Joins it to another trace, by a W3C `traceparent`. */
  link(traceparent: string): void
  /** Does the work with this span active, and returns what it returns. Called at once, once. */
  run<T>(work: () => T): T
  end(): void
}

/**
 * Where traces and metrics go: `openTelemetry()` of `@hallpass/core/opentelemetry`. It is told of everything and decides
 * nothing: what it throws is dropped, and what it answers changes no decision.
 */
export interface Telemetry {
  /** False where whatever sends requests adds the `traceparent` by itself. */
  readonly injects: boolean
  span(name: SpanName, start?: SpanStart): TelemetrySpan
  count(name: CounterName, by: number, attributes: MetricAttributes): void
  duration(name: DurationName, seconds: number, attributes: MetricAttributes): void
  /** Asks `read` whenever metrics are collected, until what it returns is called. Not finite = nothing to tell. */
  gauge(name: GaugeName, attributes: MetricAttributes, read: () => number): () => void
}
