import type {
  BrokerOperation,
  MetricAttributes,
  SpanAttributes,
  SpanName,
  SpanStart,
  Telemetry,
  TelemetrySpan,
} from '@hallpass/core'

type AskOperation = Extract<BrokerOperation, 'open_task' | 'renew_task' | 'grant' | 'end_task'>

/** A call of the catalog, as it is told. */
export interface ToldCall {
  readonly action: string
  readonly audience: string
  readonly txn: string
  readonly callId: string
  /** W3C `traceparent` of the task's span, for where no span is active. */
  readonly trace: string | undefined
}

/** What came of a piece of work, in words of the code. */
interface Came {
  readonly status?: number | undefined
  readonly reason?: string | undefined
}

/** Tells a telemetry what one agent does. Each piece of work gets its span and returns what it returns. */
export class AgentTelemetry {
  readonly #telemetry: Telemetry
  readonly #agent: string

  constructor(telemetry: Telemetry, agent: string) {
    this.#telemetry = telemetry
    this.#agent = agent
  }

  /** A call from when it was wanted to when it was answered, as the GenAI conventions of OpenTelemetry name it. */
  tool<T>(call: ToldCall, work: (span: TelemetrySpan) => Promise<T>, cameOf: (done: T) => Came): Promise<T> {
    const { action, audience, txn, callId, trace } = call
    const attributes: SpanAttributes = {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': action,
      'gen_ai.tool.type': 'extension',
      'gen_ai.tool.call.id': callId,
      'hallpass.audience': audience,
      'hallpass.task.id': txn,
    }
    const told = (seconds: number, failed: MetricAttributes) =>
      this.#telemetry.duration('gen_ai.execute_tool.duration', seconds, {
        'gen_ai.tool.name': action,
        'gen_ai.agent.id': this.#agent,
        'hallpass.audience': audience,
        ...failed,
      })
    return this.#under(`execute_tool ${action}`, { parent: trace, attributes }, { work, cameOf, told })
  }

  /** One request to the broker. */
  ask<T>(
    asked: { readonly operation: AskOperation; readonly trace: string | undefined; readonly about: SpanAttributes },
    work: (span: TelemetrySpan) => Promise<T>,
    cameOf: (done: T) => Came,
  ): Promise<T> {
    const { operation, trace, about } = asked
    const told = (seconds: number, failed: MetricAttributes) =>
      this.#telemetry.duration('hallpass.ask.duration', seconds, {
        'hallpass.operation': operation,
        'gen_ai.agent.id': this.#agent,
        ...failed,
      })
    const start = { kind: 'client', parent: trace, attributes: about } as const
    return this.#under(`hallpass.ask ${operation}`, start, { work, cameOf, told })
  }

  /** One request to an API. */
  send<T>(
    sent: {
      readonly method: string
      readonly action: string
      readonly audience: string
      readonly trace: string | undefined
    },
    work: (span: TelemetrySpan) => Promise<T>,
    cameOf: (done: T) => Came,
  ): Promise<T> {
    const { method, action, audience, trace } = sent
    const attributes = { 'http.request.method': method, 'hallpass.action': action, 'hallpass.audience': audience }
    return this.#under('hallpass.send', { kind: 'client', parent: trace, attributes }, { work, cameOf })
  }

  /** A whole task, from its opening to its end. */
  task<T>(purpose: string, work: (span: TelemetrySpan) => Promise<T>): Promise<T> {
    const attributes = { 'hallpass.purpose': purpose }
    return this.#under('hallpass.task', { attributes }, { work, cameOf: () => ({}) })
  }

  /** The header that says of which trace a request is a part, where whatever sends it does not add it by itself. */
  inject(headers: Headers, { traceparent }: TelemetrySpan): void {
    if (traceparent === undefined || !this.#telemetry.injects) return
    headers.set('traceparent', traceparent)
    // It belongs to another parent. Neither it nor baggage is ever added: they may say what is nobody else's business.
    headers.delete('tracestate')
  }

  async #under<T>(
    name: SpanName,
    start: SpanStart,
    how: {
      readonly work: (span: TelemetrySpan) => Promise<T>
      readonly cameOf: (done: T) => Came
      readonly told?: (seconds: number, failed: MetricAttributes) => void
    },
  ): Promise<T> {
    const { work, cameOf, told } = how
    const since = performance.now()
    const attributes = { 'gen_ai.agent.id': this.#agent, ...start.attributes }
    const span = this.#telemetry.span(name, { ...start, attributes })
    // Thrown: given up, or the caller's own error, which is not ours to quote.
    let came: Came = { reason: '_OTHER' }
    try {
      const done = await span.run(() => work(span))
      came = cameOf(done)
      return done
    } finally {
      const { status, reason } = came
      span.set({ 'http.response.status_code': status, 'error.type': reason })
      span.end()
      told?.((performance.now() - since) / 1000, { 'error.type': reason })
    }
  }
}
