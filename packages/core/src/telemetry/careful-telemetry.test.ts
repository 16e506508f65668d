import { describe, expect, test } from 'vitest'
import { carefulTelemetry } from './careful-telemetry.ts'
import type { Telemetry, TelemetrySpan } from './telemetry.ts'

const GOOD = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const quiet = (): void => undefined

/** A telemetry that notes what it is told. */
function noting(span: Partial<TelemetrySpan> = {}) {
  const told: unknown[] = []
  const note =
    (what: string) =>
    (...values: unknown[]) =>
      void told.push([what, ...values])
  const own: TelemetrySpan = {
    traceparent: GOOD,
    rename: note('rename'),
    set: note('set'),
    link: note('link'),
    run: (work) => work(),
    end: note('end'),
    ...span,
  }
  const telemetry: Telemetry = {
    injects: true,
    span(...values) {
      told.push(['span', ...values])
      return own
    },
    count: note('count'),
    duration: note('duration'),
    gauge(name, attributes, read) {
      told.push(['gauge', name, attributes, read()])
      return note('stop')
    },
  }
  return { told, careful: carefulTelemetry(telemetry) as Telemetry }
}

describe('carefulTelemetry()', () => {
  test('carefulTelemetry() is nothing where there is none', () => {
    expect(carefulTelemetry(undefined)).toBeUndefined()
  })

  test.each<[string, unknown]>([
    ['null', null],
    ['an empty object', {}],
    ['a function', quiet],
    ['a text', 'otel'],
  ])('carefulTelemetry() refuses %s', (_name, wrong) => {
    expect(() => carefulTelemetry(wrong as Telemetry)).toThrow(
      expect.objectContaining({ code: 'configuration-invalid' }),
    )
  })

  test('carefulTelemetry() hands everything on, cut and without what is absent', () => {
    const { told, careful } = noting()
    const span = careful.span('hallpass.verify', {
      kind: 'server',
      attributes: { 'hallpass.reason': undefined, 'hallpass.rules': 'r'.repeat(300) },
    })
    span.rename('hallpass.task')
    span.set({ 'http.response.status_code': 200 })
    span.link(GOOD)
    span.end()
    careful.count('hallpass.uses', 2, { 'hallpass.outcome': 'settled' })
    careful.duration('hallpass.verify.duration', 0.5, {})
    careful.gauge('hallpass.feed.streams', {}, () => 3)()
    expect(told).toEqual([
      ['span', 'hallpass.verify', { kind: 'server', attributes: { 'hallpass.rules': 'r'.repeat(256) } }],
      ['rename', 'hallpass.task'],
      ['set', { 'http.response.status_code': 200 }],
      ['link', GOOD],
      ['end'],
      ['count', 'hallpass.uses', 2, { 'hallpass.outcome': 'settled' }],
      ['duration', 'hallpass.verify.duration', 0.5, {}],
      ['gauge', 'hallpass.feed.streams', {}, 3],
      ['stop'],
    ])
  })

  test.each<[string, TelemetrySpan['run']]>([
    ['does it', (work) => work()],
    ['does not do it', () => undefined as never],
    ['does it twice', (work) => (work(), work())],
    ['answers for it', () => 'permitted' as never],
    [
      'throws before it',
      () => {
        throw new Error('broken')
      },
    ],
    [
      'throws after it',
      (work) => {
        work()
        throw new Error('broken')
      },
    ],
    ['rejects', (() => Promise.reject(new Error('broken'))) as never],
    ['does it later', ((work: () => unknown) => Promise.resolve().then(work)) as never],
  ])('run() does the work once and returns what it returned, where the backend %s', async (_name, run) => {
    const { careful } = noting({ run })
    let times = 0
    expect(careful.span('hallpass.task').run(() => `done ${(times += 1)}`)).toBe('done 1')
    await new Promise((resolve) => setImmediate(resolve))
    expect(times).toBe(1)
    const own = new Error('own')
    expect(() =>
      careful.span('hallpass.task').run(() => {
        throw own
      }),
    ).toThrow(own)
  })

  test.each([undefined, '', 'x\r\nx: y', `${GOOD}, ${GOOD}`, GOOD.toUpperCase()])(
    'traceparent %j is none',
    (traceparent) => {
      expect(noting({ traceparent }).careful.span('hallpass.task').traceparent).toBeUndefined()
    },
  )

  test('gauge() reads what cannot be read as not a number', () => {
    const { told, careful } = noting()
    careful.gauge('hallpass.feed.streams', {}, () => {
      throw new Error('no store')
    })
    expect(told).toEqual([['gauge', 'hallpass.feed.streams', {}, Number.NaN]])
  })
})
