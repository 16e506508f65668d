import { context, metrics, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterEach, describe, expect, test } from 'vitest'
import { openTelemetry } from './open-telemetry.ts'

const REMOTE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

function tracing() {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  return { provider, spans: () => exporter.getFinishedSpans() }
}

function metering() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const provider = new MeterProvider({ readers: [reader] })
  const told = async () => {
    exporter.reset()
    await reader.forceFlush()
    return exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
      .flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => [descriptor.name, attributes, value]),
      )
  }
  return { provider, told }
}

afterEach(() => {
  trace.disable()
  metrics.disable()
  context.disable()
})

describe('openTelemetry()', () => {
  test('openTelemetry() refuses an option that is not one', () => {
    expect(() => openTelemetry({ incoming: 'trust' as 'parent' })).toThrow(
      expect.objectContaining({ code: 'configuration-invalid' }),
    )
  })

  test('openTelemetry() does nothing without an SDK, and says of which trace it is a part', () => {
    const telemetry = openTelemetry()
    const span = telemetry.span('hallpass.task')
    expect(span.traceparent).toBeUndefined()
    expect(span.run(() => 1)).toBe(1)
    span.set({ 'error.type': 'internal' })
    span.rename('hallpass.trigger')
    span.link(REMOTE)
    span.end()
    expect(telemetry.span('hallpass.task', { parent: REMOTE, remote: true }).traceparent).toBe(REMOTE)
    telemetry.count('hallpass.uses', 1, {})
    telemetry.duration('hallpass.verify.duration', 1, {})
    telemetry.gauge('hallpass.feed.streams', {}, () => 1)()
  })

  test('openTelemetry() finds an SDK that is registered later, with every instrument', async () => {
    const telemetry = openTelemetry()
    telemetry.span('hallpass.task').end()
    telemetry.count('hallpass.uses', 1, {})
    let reads = 0
    const stop = telemetry.gauge('hallpass.feed.streams', { 'hallpass.role': 'broker' }, () => {
      reads += 1
      return 7
    })
    const { provider, spans } = tracing()
    const { provider: meterProvider, told } = metering()
    trace.setGlobalTracerProvider(provider)
    metrics.setGlobalMeterProvider(meterProvider)
    telemetry.span('hallpass.trigger').end()
    telemetry.count('hallpass.uses', 2, { 'hallpass.outcome': 'settled' })
    expect(spans().map(({ name }) => name)).toEqual(['hallpass.trigger'])
    expect(await told()).toEqual([
      ['hallpass.feed.streams', { 'hallpass.role': 'broker' }, 7],
      ['hallpass.uses', { 'hallpass.outcome': 'settled' }, 2],
    ])
    stop()
    await told()
    expect(reads).toBe(1)
  })

  test('gauge() tells nothing that is not finite', async () => {
    const { provider: meterProvider, told } = metering()
    const telemetry = openTelemetry({ meterProvider })
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      telemetry.gauge('hallpass.revocation.staleness', {}, () => value)
    }
    expect(await told()).toEqual([])
  })

  test('span() is a part of what is active, and of what it was told only where nothing is', () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    const { provider: tracerProvider, spans } = tracing()
    const telemetry = openTelemetry({ tracerProvider })
    const outer = telemetry.span('hallpass.task', { parent: REMOTE, remote: true })
    outer.run(() => telemetry.span('hallpass.send', { parent: REMOTE.replace('4bf9', 'aaaa') }).end())
    outer.end()
    const [inner, whole] = spans()
    expect(inner?.parentSpanContext?.spanId).toBe(whole?.spanContext().spanId)
    expect(whole?.parentSpanContext).toMatchObject({ spanId: '00f067aa0ba902b7', isRemote: true })
    expect(new Set(spans().map((span) => span.spanContext().traceId))).toEqual(new Set([REMOTE.split('-')[1]]))
  })

  test('span() only links a stranger where that is asked for', () => {
    const { provider: tracerProvider, spans } = tracing()
    const telemetry = openTelemetry({ tracerProvider, incoming: 'link' })
    telemetry.span('hallpass.verify', { parent: REMOTE, remote: true }).end()
    telemetry.span('hallpass.send', { parent: REMOTE }).end()
    const [strange, own] = spans()
    expect(strange?.parentSpanContext).toBeUndefined()
    expect(strange?.links.map(({ context: to }) => to.spanId)).toEqual(['00f067aa0ba902b7'])
    expect(own?.parentSpanContext?.spanId).toBe('00f067aa0ba902b7')
  })

  test('set() makes a span with an error fail, and no other', () => {
    const { provider: tracerProvider, spans } = tracing()
    const telemetry = openTelemetry({ tracerProvider })
    const failed = telemetry.span('hallpass.send', { kind: 'client' })
    failed.set({ 'error.type': 'api-unavailable' })
    failed.end()
    const fine = telemetry.span('hallpass.broker token', { kind: 'server' })
    fine.set({ 'error.type': undefined, 'hallpass.verdict': 'refused' })
    fine.rename('hallpass.broker grant')
    fine.end()
    expect(spans().map(({ name, kind, status }) => [name, kind, status.code])).toEqual([
      ['hallpass.send', 2, 2],
      ['hallpass.broker grant', 1, 0],
    ])
  })
})
