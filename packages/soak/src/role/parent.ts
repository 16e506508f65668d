import type { Order, Report } from './messages.ts'

const SAMPLE_MS = 1000

/** Says something to the run. A run that is gone hears nothing, and its processes end by themselves. */
export const tell = (report: Report): void => {
  if (process.connected) process.send?.(report, () => {})
}

/** Listens to the run, and reports this process's memory. */
export function listen(obey: (order: Order) => void): void {
  process.on('message', (order) => obey(order as Order))
  process.on('disconnect', () => process.exit(0))
  // A key pressed at the terminal reaches every process: the run ends the others in its order.
  process.on('SIGINT', () => {})
  const sample = () => {
    const { rss, heapUsed } = process.memoryUsage()
    tell({ kind: 'memory', sample: { at: Date.now(), rss, heap: heapUsed } })
  }
  setInterval(sample, SAMPLE_MS).unref()
}

/** Tells that the end was reached, and ends once that is said. */
export function stopped(): void {
  if (!process.connected) process.exit(0)
  process.send?.({ kind: 'stopped' } satisfies Report, () => process.exit(0))
}
