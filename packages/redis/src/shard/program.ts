/** One script, before it knows the life of the server it runs in. */
export interface Program {
  readonly name: string
  readonly body: string
  /** What ends, revokes, records an outcome or only reads goes on where memory is full; what issues or uses does not. */
  readonly whenFull: 'goes-on' | 'refuses'
}

/** What the scripts count with, in milliseconds. */
export interface Times {
  readonly skew: number
  readonly lease: number
  readonly maxTask: number
  readonly proofWindow: number
}

const HOUR = 3_600_000
/** Backstop of every key: what nobody swept goes this long after its own end. */
const UNSWEPT = 24 * HOUR
/** An ended task is known for longer than any grant of it could have lived. */
const ENDED = 960_000
/** Longest life of a grant. */
const TTL = 900_000

/** The text of a script for one life of a server: another life does not know it by its digest (rule 5). */
export function textFor(
  { body, whenFull }: Program,
  { life, times, channel }: { readonly life: string; readonly times: Times; readonly channel: string },
): string {
  const constants = {
    SKEW: times.skew,
    LEASE: times.lease,
    MAX_TASK: times.maxTask,
    PROOF_WINDOW: times.proofWindow,
    LOGGED: TTL + 2 * times.skew,
    UNSWEPT,
    ENDED,
  }
  const numbers = Object.entries(constants).filter(([name]) => body.includes(name))
  return [
    whenFull === 'goes-on' ? '#!lua flags=allow-oom' : '#!lua',
    `local LIFE = ${JSON.stringify(life)}`,
    ...(body.includes('WAKE') ? [`local WAKE = ${JSON.stringify(channel)}`] : []),
    ...numbers.map(([name, value]) => `local ${name} = ${value}`),
    body,
  ].join('\n')
}
