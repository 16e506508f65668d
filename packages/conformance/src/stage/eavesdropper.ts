import { inspect } from 'node:util'

/** Everything that reaches a terminal or a log while it listens. */
export interface Eavesdropper {
  heard(): string
  stop(): void
}

type Write = typeof process.stdout.write

/** Listens at both streams of this process, its console and its warnings. */
export function eavesdrop(): Eavesdropper {
  const heard: string[] = []
  const streams = [process.stdout, process.stderr]
  const own = streams.map((stream) => stream.write.bind(stream))
  for (const stream of streams) {
    const listen: Write = (chunk: string | Uint8Array, ...rest: readonly unknown[]) => {
      heard.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())
      const done = rest.findLast((value) => typeof value === 'function')
      if (done !== undefined) (done as () => void)()
      return true
    }
    stream.write = listen
  }
  const names = ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const
  const plain = names.map((name) => console[name])
  for (const name of names) console[name] = (...said) => void heard.push(said.map((one) => shown(one)).join(' '))
  const warn = (warning: Error) => void heard.push(shown(warning))
  process.on('warning', warn)
  return {
    heard: () => heard.join('\n'),
    stop() {
      for (const [index, stream] of streams.entries()) stream.write = own[index] as Write
      for (const [index, name] of names.entries()) console[name] = plain[index] ?? console[name]
      process.removeListener('warning', warn)
    },
  }
}

/** All that a log could make of a value: inspected, as JSON, as text, with its stack and cause. */
export function shown(value: unknown): string {
  const parts = [inspect(value, { depth: 12, showHidden: true, getters: true, maxStringLength: null }), String(value)]
  try {
    parts.push(JSON.stringify(value) ?? '')
  } catch {
    // What cannot be JSON leaks nothing that way.
  }
  if (value instanceof Error)
    parts.push(value.message, value.stack ?? '', value.cause === undefined ? '' : shown(value.cause))
  return parts.join('\n')
}
