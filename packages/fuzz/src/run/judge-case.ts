import type { JsonValue } from '@hallpass/core'
import { difference } from '../target/target.ts'
import type { Target, Verdict } from '../target/target.ts'

/** A verdict in any case: whatever throws is a difference. */
export async function judgeCase(target: Target, input: JsonValue): Promise<Verdict> {
  try {
    return await target.judge(input)
  } catch (error) {
    return difference(
      `${target.name}: threw ${error instanceof Error ? `${error.name}: ${error.message}` : typeof error}`,
    )
  }
}
