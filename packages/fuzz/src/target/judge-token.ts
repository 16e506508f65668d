import { isDeepStrictEqual } from 'node:util'
import type { Result } from '@hallpass/core'
import { evidenceOf } from '../strictness/evidence.ts'
import type { TokenKind } from '../strictness/evidence.ts'
import { explain } from '../strictness/strictness.ts'
import { BOTH, difference, NEITHER, stricter } from './target.ts'
import type { Verdict } from './target.ts'

export interface TokenOpinions {
  readonly token: string
  readonly kind: TokenKind
  /** What we say, with what we read where we take it. */
  readonly ours: () => Result<unknown> | Promise<Result<unknown>>
  /** What the judge read, or undefined where it refuses. */
  readonly judge: () => Promise<unknown>
}

/** Compares both: we may only ever be stricter, and only for a reason on the list. */
export async function judgeToken({ token, kind, ours, judge }: TokenOpinions): Promise<Verdict> {
  const [said, read] = await Promise.all([answered(ours), judge()])
  if (typeof said === 'string') return difference(said)
  if (said.ok) {
    if (read === undefined) return difference(`${kind.name}: laxer than jose`)
    if (!isDeepStrictEqual(said.value, read)) return difference(`${kind.name}: read differently`)
    const { issues } = evidenceOf(token, kind)
    return issues.length === 0 ? BOTH : difference(`${kind.name}: wider than the profile (${issues.join(', ')})`)
  }
  if (read === undefined) return NEITHER
  const id = explain(evidenceOf(token, kind))
  return id === undefined
    ? difference(`${kind.name}: stricter for no reason on the list (${said.reason})`)
    : stricter(id)
}

async function answered(ours: TokenOpinions['ours']): Promise<Result<unknown> | string> {
  try {
    return await ours()
  } catch (error) {
    return `threw ${error instanceof Error ? error.name : typeof error}`
  }
}

/** What jose read, or undefined where it refuses. */
export async function joseReads<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch {
    return undefined
  }
}
