import { HallpassError } from '../fault.ts'
import { createDigester } from './digester.ts'
import type { AuditEvent, AuditSink } from './event.ts'

/** Members that may be kept out of a trail. The others are what triggers, joins and evidence need. */
export type RedactableMember = 'sub' | 'owner' | 'note' | 'resource' | 'detail' | 'call_id' | 'trace' | 'data' | 'facts'

const REDACTABLE: ReadonlySet<string> = new Set<RedactableMember>([
  'sub',
  'owner',
  'note',
  'resource',
  'detail',
  'call_id',
  'trace',
  'data',
  'facts',
])

export interface RedactOptions {
  /** Members that are left out. */
  readonly drop?: readonly RedactableMember[]
  /** Members that are replaced by their keyed digest: equal values are seen to be equal, and cannot be guessed. */
  readonly digest?: readonly RedactableMember[]
  /** At least 32 random bytes for the digests; the same in every process whose events are to be compared. */
  readonly key?: Uint8Array
}

function named(members: readonly RedactableMember[], option: string): ReadonlySet<string> {
  const wrong = members.find((name) => !REDACTABLE.has(name))
  if (wrong === undefined) return new Set(members)
  throw new HallpassError(
    'configuration-invalid',
    `redactEvents({ ${option} }) takes ${[...REDACTABLE].join(', ')}: without \`${wrong}\` a trail proves nothing`,
  )
}

/**
 * Keeps members of events out of a sink, before anything of them is chained, written or sent: wrap the trail of a
 * verifier or a broker in it. What watches events on their way (a broker's triggers) still sees them whole.
 *
 * Does not look inside: a name that an agent wrote into another member stays there.
 * @throws HallpassError `configuration-invalid` for a member that a trail needs, one named twice, or digests without a key.
 */
export function redactEvents<S extends AuditSink>(sink: S, options: RedactOptions): S {
  const drop = named(options.drop ?? [], 'drop')
  const digested = named(options.digest ?? [], 'digest')
  const twice = [...drop].find((name) => digested.has(name))
  if (twice !== undefined) {
    throw new HallpassError(
      'configuration-invalid',
      `redactEvents() takes \`${twice}\` as dropped or digested, not both`,
    )
  }
  if (digested.size > 0 && options.key === undefined) {
    throw new HallpassError('configuration-invalid', 'redactEvents({ digest }) takes a key, or values could be guessed')
  }
  const digest = options.key && createDigester(options.key)

  const redacted = (event: AuditEvent): AuditEvent => {
    const members = Object.entries(event).flatMap(([name, value]): [string, unknown][] => {
      if (drop.has(name)) return []
      return [[name, digested.has(name) && value !== undefined ? digest?.(value as string) : value]]
    })
    return Object.fromEntries(members) as unknown as AuditEvent
  }

  return new Proxy(sink, {
    get(target, name) {
      if (name === 'append') return (event: AuditEvent) => target.append(redacted(event))
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
}
