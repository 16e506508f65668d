import type { JsonValue } from '@hallpass/core'
import type { Random } from '../run/random.ts'

/** What two implementations made of one input. */
export type Verdict =
  | { readonly kind: 'both' }
  | { readonly kind: 'neither' }
  /** We refuse what the judge takes, for the reason with this id on the written list. */
  | { readonly kind: 'stricter'; readonly id: string }
  /** We take what the judge refuses, read it differently, or refuse it for no written reason. */
  | { readonly kind: 'difference'; readonly what: string }

/** One thing under test: how to make input for it, and how to judge what we make of it. */
export interface Target {
  readonly name: string
  /** What is compared with what. */
  readonly about: string
  /** Input as plain JSON, so that it can be kept. */
  make(random: Random): JsonValue
  judge(input: JsonValue): Verdict | Promise<Verdict>
}

/** A target whose input has a shape of its own. */
export const defineTarget = <I>(target: {
  readonly name: string
  readonly about: string
  make(random: Random): I
  judge(input: I): Verdict | Promise<Verdict>
}): Target => target as unknown as Target

export const BOTH: Verdict = { kind: 'both' }
export const NEITHER: Verdict = { kind: 'neither' }
export const stricter = (id: string): Verdict => ({ kind: 'stricter', id })
export const difference = (what: string): Verdict => ({ kind: 'difference', what })
