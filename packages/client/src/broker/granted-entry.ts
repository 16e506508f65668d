import type { JsonObject, ToolCallEntry } from '@hallpass/core'
import { covers, parseToolCallEntry } from '@hallpass/core'

interface Asked {
  readonly audience: string
  readonly action: string
  readonly resource: string
  readonly parameters: JsonObject
}

/**
 * Is what the broker granted within what was asked: same audience, same action, covering this resource and these
 * parameters by the very rules the verifier will apply.
 */
export function grantedEntry(value: JsonObject, asked: Asked): ToolCallEntry | undefined {
  const entry = parseToolCallEntry(value)
  return entry.ok && covers(entry.value, asked).ok ? entry.value : undefined
}
