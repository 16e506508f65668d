import type { Survey } from './survey.ts'
import { survey } from './survey.ts'

/** What one kind of token is held to beyond its signature. */
export interface TokenKind {
  readonly name: 'grant' | 'task-token' | 'proof' | 'status-list' | 'assertion'
  readonly maxBytes: number
  /** Exact spellings of `typ`; '' = may be absent. */
  readonly typ: readonly string[]
  readonly allowsJwk: boolean
  /** NumericDate seconds, where a glance at the text may say that the token is over. */
  readonly glanceAt?: number
  /** Where it may have no other header member than these. */
  readonly onlyHeader?: readonly string[]
  /** Places in the payload that the profile, written down independently, has something against. */
  readonly profile: (payload: unknown) => readonly string[]
}

/** An input as a lenient reader sees it. */
export interface Evidence {
  readonly token: string
  readonly kind: TokenKind
  readonly segments: readonly string[]
  readonly headerText: Survey
  readonly payloadText: Survey
  readonly header: Readonly<Record<string, unknown>>
  readonly payload: Readonly<Record<string, unknown>>
  readonly issues: readonly string[]
}

const asObject = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}

export function evidenceOf(token: string, kind: TokenKind): Evidence {
  const segments = token.split('.')
  const read = (part: number) => survey(Buffer.from(segments[part] ?? '', 'base64url').toString())
  const [headerText, payloadText] = [read(0), read(1)]
  const payload = asObject(payloadText.value)
  return {
    token,
    kind,
    segments,
    headerText,
    payloadText,
    header: asObject(headerText.value),
    payload,
    issues: kind.profile(payload),
  }
}
