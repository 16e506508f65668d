import { HallpassError } from '@hallpass/core'

export type Loose = Readonly<Record<string, unknown>>

export const isRecord = (value: unknown): value is Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Non-empty, printable, without space at its ends: an id, an owner, an approver. */
export const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= 256 && /^[!-~](?:[ -~]*[!-~])?$/.test(value) && value !== '__proto__'

export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1

/** Collects what is wrong with a policy, so that its author reads all of it at once. */
export class Problems {
  readonly #found: string[] = []

  add(where: string, what: string): void {
    this.#found.push(`${where}: ${what}`)
  }

  /** Reports every member that is not known, by name. */
  closed(value: Loose, where: string, known: readonly string[]): void {
    for (const name of Object.keys(value)) {
      if (!known.includes(name)) this.add(where, `unknown member '${name}'; known are ${known.join(', ')}`)
    }
  }

  /** A non-empty list of names, without repeats. Undefined (and reported) otherwise. */
  names(value: unknown, where: string): readonly string[] | undefined {
    if (!Array.isArray(value) || value.length === 0 || !value.every(isName)) {
      this.add(where, 'has to be a list of at least one name')
      return undefined
    }
    if (new Set(value).size !== value.length) this.add(where, 'names one thing twice')
    return Object.freeze([...(value as readonly string[])])
  }

  /** Like `names`, each of them one of `known`. */
  chosen(value: unknown, where: string, known: ReadonlySet<string>): readonly string[] | undefined {
    const names = this.names(value, where)
    for (const name of names ?? []) {
      if (!known.has(name)) this.add(where, `'${name}' is not known; known are ${list(known)}`)
    }
    return names
  }

  get isEmpty(): boolean {
    return this.#found.length === 0
  }

  /** Throws `policy-invalid` with everything that was found. */
  throwIfAny(): void {
    if (this.isEmpty) return
    const shown = this.#found.slice(0, 20).map((line) => `  ${line}`)
    const more = this.#found.length - shown.length
    if (more > 0) shown.push(`  and ${more} more`)
    throw new HallpassError('policy-invalid', `The policy does not hold together:\n${shown.join('\n')}`)
  }
}

export const list = (names: Iterable<string>): string => [...names].join(', ') || 'none'
