import { z } from 'zod'

/**
 * The profile of grants and task tokens (design section 3, standards 3.2 and 3.6), written down a second time as a
 * schema: what it has nothing against and jose takes, we must take, and what we take, it must have nothing against.
 */

const MAX_DATE = 253402300799
const date = z.number().min(0).max(MAX_DATE)
const claimText = z.string().min(1).max(512)
// eslint-disable-next-line no-control-regex
const entryText = claimText.regex(/^[^\u0000-\u001f\u007f]*$/)
const thumbprint = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const decimal = z.string().regex(/^(?!-0(\.0*)?$)-?(0|[1-9]\d{0,39})(\.\d{1,20})?$/)
const optional = { optional: z.boolean().optional() }

const constraint = z.union([
  z.strictObject({ equals: z.json(), ...optional }),
  z.strictObject({ one_of: z.array(z.json()).min(1).max(64), ...optional }),
  z
    .strictObject({ min: decimal.optional(), max: decimal.optional(), ...optional })
    .refine(({ min, max }) => (min ?? max) !== undefined),
  z.strictObject({ prefix: z.string().min(1), ...optional }),
  z.strictObject({ any: z.literal(true), ...optional }),
])

const limit = z
  .strictObject({
    id: entryText,
    per: z.enum(['grant', 'task', 'agent']),
    max: z.int().min(0),
    parameter: entryText.optional(),
    scale: z.int().min(0).max(15).optional(),
    unit: entryText.optional(),
    window_seconds: z.int().min(1).optional(),
  })
  .refine(({ parameter, scale, unit }) => parameter !== undefined || (scale ?? unit) === undefined)
  .refine(({ per, window_seconds: window }) => (per === 'agent') === (window !== undefined))

const MAX_CONSTRAINTS = 64

export const toolCallEntry = z
  .strictObject({
    type: z.literal('urn:hallpass:tool-call'),
    locations: z.tuple([entryText]),
    actions: z.tuple([entryText]),
    identifier: entryText.regex(/^[^:]+:(.*[^:])$/s),
    limits: z
      .array(limit)
      .max(16)
      .refine((limits) => new Set(limits.map(({ per, id }) => JSON.stringify([per, id]))).size === limits.length),
    parameter_digest: z
      .string()
      .regex(/^sha-256:[A-Za-z0-9_-]{43}$/)
      .optional(),
    constraints: z
      .record(z.string(), constraint)
      .refine((constraints) => Object.keys(constraints).length <= MAX_CONSTRAINTS)
      .optional(),
  })
  .refine(({ parameter_digest: digest, constraints }) => (digest === undefined) !== (constraints === undefined))

const list = z.array(entryText).min(1).max(64)
export const taskEntry = z.strictObject({
  type: z.literal('urn:hallpass:task'),
  purpose: entryText,
  note: z.string().max(256).optional(),
  ceiling: z.strictObject({ actions: list.optional(), resources: list.optional() }).optional(),
  deadline: z.int().min(1).optional(),
})

const common = {
  iss: claimText,
  aud: claimText,
  sub: claimText,
  client_id: claimText,
  jti: claimText,
  txn: claimText,
  iat: date,
  exp: date,
  nbf: date.optional(),
  act: z.strictObject({ sub: z.string(), iss: claimText }).optional(),
  'urn:hallpass:policy': z.looseObject({ version: claimText, digest: claimText }),
  'urn:hallpass:path': z.strictObject({
    tasks: z.tuple([z.string()]),
    agents: z.tuple([z.string()]),
    owner: claimText,
  }),
}

const grantClaims = z.looseObject({
  ...common,
  cnf: z.strictObject({ jkt: thumbprint }).optional(),
  status: z.strictObject({ status_list: z.strictObject({ idx: z.int().min(0), uri: claimText }) }),
  authorization_details: z.tuple([toolCallEntry]),
})

const taskClaims = z.looseObject({
  ...common,
  cnf: z.strictObject({ jkt: thumbprint }),
  'urn:hallpass:identity': z.looseObject({ iss: claimText, sub: claimText }),
  authorization_details: z.tuple([taskEntry]),
})

type Claims = Readonly<Record<string, unknown>>

/** Names of the claims something is wrong with; what relates two claims goes by a name of its own. */
function issuesOf(
  schema: z.ZodType,
  payload: unknown,
  { now, maxSeconds }: { now: number; maxSeconds: number },
): readonly string[] {
  const parsed = schema.safeParse(payload)
  const issues = parsed.success ? [] : parsed.error.issues.map(({ path }) => String(path[0]))
  const { iat, exp, sub, client_id: client, act, txn, 'urn:hallpass:path': path } = payload as Claims
  if (typeof exp === 'number' && !(exp > now)) issues.push('exp-passed')
  if (typeof exp === 'number' && typeof iat === 'number') {
    if (iat >= exp) issues.push('exp-before-iat')
    if (exp - iat > maxSeconds) issues.push('lifetime')
  }
  const actor = (act as Claims | undefined | null)?.['sub']
  if (sub === client ? act !== undefined : actor !== client) issues.push('act')
  const { tasks, agents } = (path ?? {}) as { tasks?: readonly unknown[]; agents?: readonly unknown[] }
  if (tasks?.[0] !== txn || agents?.[0] !== client) issues.push('urn:hallpass:path')
  return issues
}

export const grantIssues = (payload: unknown, now: number, audience: string): readonly string[] => {
  const issues = issuesOf(grantClaims, payload, { now, maxSeconds: 900 })
  const details = (payload as Claims)['authorization_details'] as readonly Claims[] | undefined
  const place: unknown = Array.isArray(details) ? (details[0] as Claims | null | undefined)?.['locations'] : undefined
  return Array.isArray(place) && place[0] === audience ? issues : [...issues, 'authorization_details']
}

export const taskIssues = (payload: unknown, now: number): readonly string[] =>
  issuesOf(taskClaims, payload, { now, maxSeconds: 24 * 60 * 60 })
