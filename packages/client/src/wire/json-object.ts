import type { JsonObject } from '@hallpass/core'

/** The value as a JSON object, or nothing; for what was parsed by a strict reader. */
export const asObject = (value: unknown): JsonObject | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
