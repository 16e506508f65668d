import { AggregationTemporality, InMemoryMetricExporter, MeterProvider } from '@opentelemetry/sdk-metrics'
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { Telemetry } from '@hallpass/core'
import type { OpenTelemetryOptions } from '@hallpass/core/opentelemetry'
import { openTelemetry } from '@hallpass/core/opentelemetry'

/** One series of one metric, as it was exported. */
export interface Series {
  readonly name: string
  readonly unit: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly value: unknown
}

/** OpenTelemetry's own SDK with exporters in memory. */
export interface Recorded {
  readonly telemetry: Telemetry
  readonly spans: (name?: string) => readonly ReadableSpan[]
  readonly series: (name?: string) => Promise<readonly Series[]>
  /** All that left the process, as text. */
  readonly everything: () => Promise<string>
}

export function recorded(options: OpenTelemetryOptions = {}): Recorded {
  const spanExporter = new InMemorySpanExporter()
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spanExporter)] })
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 })
  const meterProvider = new MeterProvider({ readers: [reader] })

  async function series(name?: string): Promise<readonly Series[]> {
    metricExporter.reset()
    await reader.forceFlush()
    const metrics = metricExporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((one) => one.metrics))
    return metrics
      .filter(({ descriptor }) => name === undefined || descriptor.name === name)
      .flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => ({
          name: descriptor.name,
          unit: descriptor.unit,
          attributes,
          value,
        })),
      )
  }

  return {
    telemetry: openTelemetry({ tracerProvider, meterProvider, ...options }),
    spans: (name) => spanExporter.getFinishedSpans().filter((span) => name === undefined || span.name === name),
    series,
    async everything() {
      const spans = spanExporter.getFinishedSpans().map((span) => ({
        name: span.name,
        attributes: span.attributes,
        status: span.status,
        events: span.events,
        links: span.links,
        context: span.spanContext(),
      }))
      return JSON.stringify([spans, await series()])
    },
  }
}
