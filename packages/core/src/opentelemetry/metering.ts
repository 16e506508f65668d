import type { Counter, Histogram, Meter, MeterProvider, ObservableCallback, ObservableGauge } from '@opentelemetry/api'
import type { CounterName, DurationName, GaugeName } from '../telemetry/telemetry.ts'
import { BUCKETS, COUNTERS, DURATIONS, GAUGES } from './instruments.ts'

export interface ReadGauge {
  readonly name: GaugeName
  readonly callback: ObservableCallback
}

/** The instruments of one meter provider, each made when it is first needed. */
export class Metering {
  readonly provider: MeterProvider
  readonly #meter: Meter
  readonly #counters = new Map<CounterName, Counter>()
  readonly #histograms = new Map<DurationName, Histogram>()
  readonly #gauges = new Map<GaugeName, ObservableGauge>()

  constructor(provider: MeterProvider, scope: string) {
    this.provider = provider
    this.#meter = provider.getMeter(scope)
  }

  counter(name: CounterName): Counter {
    return kept(this.#counters, name, () => this.#meter.createCounter(name, COUNTERS[name]))
  }

  histogram(name: DurationName): Histogram {
    const advice = { explicitBucketBoundaries: [...BUCKETS] }
    return kept(this.#histograms, name, () => this.#meter.createHistogram(name, { ...DURATIONS[name], advice }))
  }

  attach({ name, callback }: ReadGauge): void {
    kept(this.#gauges, name, () => this.#meter.createObservableGauge(name, GAUGES[name])).addCallback(callback)
  }

  detach({ name, callback }: ReadGauge): void {
    this.#gauges.get(name)?.removeCallback(callback)
  }
}

function kept<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const before = map.get(key)
  if (before !== undefined) return before
  const made = make()
  map.set(key, made)
  return made
}
