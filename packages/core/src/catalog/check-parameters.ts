import type { z } from 'zod'

/** What this file reads of a schema's definition; zod keeps it under `_zod.def`. */
interface Definition {
  readonly type: string
  readonly coerce?: boolean
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly catchall?: z.ZodType
  readonly element?: z.ZodType
  readonly innerType?: z.ZodType
  readonly options?: readonly z.ZodType[]
  readonly left?: z.ZodType
  readonly right?: z.ZodType
  readonly items?: readonly z.ZodType[]
  readonly rest?: z.ZodType | null
  readonly keyType?: z.ZodType
  readonly valueType?: z.ZodType
  readonly in?: z.ZodType
  readonly getter?: () => z.ZodType
  readonly values?: readonly unknown[]
  readonly entries?: Readonly<Record<string, unknown>>
}

const LEAVES = new Set(['string', 'number', 'int', 'boolean', 'null', 'enum', 'literal', 'template_literal', 'never'])
const WRAPPERS = new Set(['optional', 'nullable', 'nonoptional', 'readonly', 'default', 'prefault'])
const OPEN = new Set(['any', 'unknown', 'custom', 'transform'])

const definitionOf = (schema: z.ZodType): Definition => schema._zod.def

/** Whether a schema of an object refuses members it does not name. */
export const isStrict = (schema: z.ZodType): boolean => {
  const { catchall } = definitionOf(schema)
  return catchall !== undefined && definitionOf(catchall).type === 'never'
}

/** Whether an object schema was told to take members it does not name. */
export const isLoose = (schema: z.ZodType): boolean => definitionOf(schema).catchall !== undefined && !isStrict(schema)

/**
 * Says what keeps a parameter's schema from being closed JSON, or undefined.
 *
 * Refuses objects that are not strict, schemas that take anything, that coerce, that swallow errors, and types JSON has not.
 */
export function openness(schema: z.ZodType, where: string, seen: Set<z.ZodType> = new Set()): string | undefined {
  if (seen.has(schema)) return undefined
  seen.add(schema)
  const definition = definitionOf(schema)
  const { type } = definition
  if (definition.coerce === true)
    return `${where} coerces its input; use decimal(), z.enum or a schema of the type that is sent`
  if (LEAVES.has(type)) return undefined
  if (OPEN.has(type)) return `${where} takes anything; name its type, or use z.json() where any JSON is meant`
  if (type === 'catch') return `${where} turns invalid input into a value; drop .catch()`
  const parts = partsOf(definition, where)
  if (parts === undefined) return `${where} is a ${type}, which JSON cannot carry`
  if (type === 'object' && !isStrict(schema))
    return `${where} is an object that lets unknown members pass; use z.strictObject`
  for (const [part, name] of parts) {
    const problem = openness(part, name, seen)
    if (problem !== undefined) return problem
  }
  return undefined
}

type Part = readonly [schema: z.ZodType, where: string]

function partsOf(definition: Definition, where: string): readonly Part[] | undefined {
  const { type } = definition
  const at = (...schemas: readonly (z.ZodType | null | undefined)[]): Part[] =>
    schemas.flatMap((schema) => (schema ? [[schema, where] as const] : []))
  if (WRAPPERS.has(type)) return at(definition.innerType)
  if (type === 'object') return Object.entries(definition.shape ?? {}).map(([name, part]) => [part, `${where}.${name}`])
  if (type === 'array') return (definition.element ? [definition.element] : []).map((part) => [part, `${where}[]`])
  if (type === 'union') return at(...(definition.options ?? []))
  if (type === 'intersection') return at(definition.left, definition.right)
  if (type === 'tuple') return at(...(definition.items ?? []), definition.rest)
  if (type === 'record') return at(definition.keyType, definition.valueType)
  if (type === 'pipe') return at(definition.in)
  if (type === 'lazy') return at(definition.getter?.())
  return undefined
}

/** Whether some text can satisfy a schema: what a route or a query carries is always text. */
export function takesText(schema: z.ZodType): boolean {
  const definition = definitionOf(schema)
  const { type } = definition
  if (type === 'string' || type === 'template_literal') return true
  if (type === 'enum') return Object.values(definition.entries ?? {}).every((value) => typeof value === 'string')
  if (type === 'literal') return (definition.values ?? []).every((value) => typeof value === 'string')
  if (type === 'union') return (definition.options ?? []).every(takesText)
  // Of all definitions only a pipe's has an `in`.
  const inner = WRAPPERS.has(type) ? definition.innerType : definition.in
  return inner !== undefined && takesText(inner)
}
