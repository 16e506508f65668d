import type { FieldLookup } from './incoming-call.ts'

/** The header fields a verifier reads, and which of them stood more than once. */
export class RequestFields {
  authorization: string | undefined = undefined
  proof: string | undefined = undefined
  idempotencyKey: string | undefined = undefined
  contentType: string | undefined = undefined
  contentEncoding: string | undefined = undefined
  contentDigest: string | undefined = undefined
  upgrade: string | undefined = undefined
  transferEncoding: string | undefined = undefined
  /** The first field that must stand once and did not. */
  repeated: FieldName | undefined = undefined
}

type FieldName = Exclude<keyof RequestFields, 'repeated'>

const NAMES: Readonly<Record<FieldName, string>> = {
  authorization: 'authorization',
  proof: 'dpop',
  idempotencyKey: 'idempotency-key',
  contentType: 'content-type',
  contentEncoding: 'content-encoding',
  contentDigest: 'content-digest',
  upgrade: 'upgrade',
  transferEncoding: 'transfer-encoding',
}

const FIELDS = Object.keys(NAMES) as FieldName[]

interface Candidate {
  readonly field: FieldName
  readonly lower: string
  readonly code: number
}

const BY_LENGTH: readonly (readonly Candidate[] | undefined)[] = (() => {
  const table: (Candidate[] | undefined)[] = Array.from({ length: 32 })
  for (const field of FIELDS) {
    const lower = NAMES[field]
    const row = (table[lower.length] ??= [])
    row.push({ field, lower, code: lower.charCodeAt(0) })
  }
  return table
})()

/**
 * Picks the fields a verifier reads out of a request's header section.
 * @param headers Node's `rawHeaders`, where a repeated field can be told from one value, or a web `Headers`,
 * which joins repeated fields with a comma; none of these fields may hold one, so the join is refused further on.
 */
export function readFields(headers: readonly string[] | FieldLookup): RequestFields {
  const fields = new RequestFields()
  if (!isRaw(headers)) {
    for (const field of FIELDS) fields[field] = headers.get(NAMES[field]) ?? undefined
    return fields
  }
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const field = fieldNamed(headers[index] ?? '')
    if (field === undefined) continue
    if (fields[field] !== undefined) fields.repeated ??= field
    fields[field] = headers[index + 1] ?? ''
  }
  return fields
}

const isRaw = (headers: readonly string[] | FieldLookup): headers is readonly string[] => Array.isArray(headers)

/** By length and first letter first, so that almost every other field costs two comparisons and no lower-cased copy. */
function fieldNamed(name: string): FieldName | undefined {
  const candidates = BY_LENGTH[name.length]
  if (candidates === undefined) return undefined
  const initial = name.charCodeAt(0) | 0x20
  for (const { field, lower, code } of candidates) {
    if (code === initial && (name === lower || name.toLowerCase() === lower)) return field
  }
  return undefined
}
