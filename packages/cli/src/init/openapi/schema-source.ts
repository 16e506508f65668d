import type { JsonValue } from '@hallpass/core'
import { memberName, quote } from '../source-text.ts'
import type { Document, Node } from './node.ts'
import { isNode, listOf, nodesOf, textOf } from './node.ts'
import type { ParameterDraft, SchemaDraft } from './draft.ts'

const MAX_DEPTH = 8
const MAX_SCHEMAS = 1000
const PARAMETER_NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/

/** How a value travels: what a route or a query carries is always text. */
export type Carrier = 'text' | 'json'

export interface Place {
  readonly document: Document
  readonly carrier: Carrier
  /** Schemas this one is inside of. */
  readonly within: readonly Node[]
  /** Schemas that may still be written, so that a small document cannot ask for endless text. */
  readonly budget: { left: number }
}

/** Where the schemas of one operation are written. */
export const placeIn = (document: Document, carrier: Carrier): Place => ({
  document,
  carrier,
  within: [],
  budget: { left: MAX_SCHEMAS },
})

const draft = (source: string, example: JsonValue, ...notes: readonly string[]): SchemaDraft => ({
  source,
  example,
  notes,
})
const anyJson = (why: string): SchemaDraft => draft('z.json()', null, `${why}: takes any JSON, so name what it may be`)

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

/** The type, without `null`, which OpenAPI 3.0 and 3.1 write differently. */
function typeOf(schema: Node): { readonly type: string | undefined; readonly isNullable: boolean } {
  const types =
    typeof schema['type'] === 'string'
      ? [schema['type']]
      : listOf(schema['type']).filter((name) => typeof name === 'string')
  const isNullable = schema['nullable'] === true || types.includes('null')
  const [type, another] = types.filter((name) => name !== 'null')
  const implied = isNode(schema['properties']) ? 'object' : undefined
  return { type: another === undefined ? (type ?? implied) : undefined, isNullable }
}

function text(schema: Node): SchemaDraft {
  const { minLength, maxLength } = schema
  const least = isCount(minLength) ? `.min(${minLength})` : ''
  const most = isCount(maxLength) ? `.max(${maxLength})` : ''
  const pattern = textOf(schema['pattern'])
  const notes = pattern === undefined ? [] : [`has the pattern ${pattern}, which was left out`]
  const length = isCount(minLength) ? Math.max(7, minLength) : 7
  const example = 'example'.padEnd(length, 'x').slice(0, isCount(maxLength) ? maxLength : length)
  return draft(`z.string()${least}${most}`, example, ...notes)
}

function number(schema: Node, isWhole: boolean, carrier: Carrier): SchemaDraft {
  if (carrier === 'text') {
    const note = isWhole ? [] : ['is a number in the query; two decimals were assumed']
    return draft(isWhole ? 'decimal({ scale: 0 })' : 'decimal()', '1', ...note)
  }
  const { minimum, maximum } = schema
  const least = isNumber(minimum) ? `.min(${minimum})` : ''
  const most = isNumber(maximum) ? `.max(${maximum})` : ''
  const note = 'is a JSON number: totals count only decimal(), which travels as a string'
  const example = isNumber(minimum) ? minimum : isNumber(maximum) ? Math.min(1, maximum) : 1
  return draft(`z.${isWhole ? 'int' : 'number'}()${least}${most}`, example, ...(isWhole ? [] : [note]))
}

const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'

function choice(values: readonly unknown[], carrier: Carrier): SchemaDraft | undefined {
  const given = values.filter((value) => value !== null)
  if (!given.every(isScalar)) return undefined
  const [first] = given
  if (first === undefined) return undefined
  const texts = given.filter((value) => typeof value === 'string')
  if (texts.length === given.length) return draft(`z.enum([${texts.map(quote).join(', ')}])`, first)
  if (carrier === 'text')
    return draft(`z.enum([${given.map((value) => quote(String(value))).join(', ')}])`, String(first))
  const literals = given.map((value) => (typeof value === 'string' ? quote(value) : String(value)))
  return draft(`z.literal([${literals.join(', ')}])`, first)
}

/** All that an object and what it is composed of say about its members. */
function mergedObject(
  schema: Node,
  document: Document,
): { readonly properties: Node; readonly required: ReadonlySet<unknown> } {
  const parts = [schema, ...listOf(schema['allOf']).map((part) => document.resolve(part))].filter(isNode)
  const properties = Object.assign(
    Object.create(null),
    ...parts.map((part) => (isNode(part['properties']) ? part['properties'] : {})),
  ) as Node
  return { properties, required: new Set(parts.flatMap((part) => listOf(part['required']))) }
}

/** The members of an object schema, as parameters of an action or of a nested object. */
export function membersOf(
  schema: Node,
  place: Place,
): { readonly members: readonly ParameterDraft[]; readonly notes: readonly string[] } {
  const { properties, required } = mergedObject(schema, place.document)
  const inside = place.within.includes(schema) ? place : { ...place, within: [...place.within, schema] }
  const notes: string[] = []
  const members = Object.entries(properties).flatMap(([name, property]): readonly ParameterDraft[] => {
    const resolved = place.document.resolve(property)
    if (resolved?.['readOnly'] === true) return []
    if (!PARAMETER_NAME.test(name) || name === '__proto__') {
      notes.push(
        `has a member ${JSON.stringify(name)} that no parameter can be named; it was left out, so requests with it are refused`,
      )
      return []
    }
    return [{ name, isRequired: required.has(name), ...schemaSource(property, inside) }]
  })
  if (isNode(schema['additionalProperties']) || schema['additionalProperties'] === true) {
    notes.push('takes members that it does not name; only those that are named pass')
  }
  return { members, notes }
}

function object(schema: Node, place: Place): SchemaDraft {
  const { members, notes } = membersOf(schema, place)
  if (members.length === 0 && notes.length === 0) return anyJson('is an object without named members')
  const inner = members.map(
    ({ name, source, isRequired }) => `${memberName(name)}: ${source}${isRequired ? '' : '.optional()'}`,
  )
  const example = Object.fromEntries(
    members.filter(({ isRequired }) => isRequired).map((member) => [member.name, member.example]),
  )
  const below = members.flatMap((member) => member.notes.map((note) => `\`${member.name}\` ${note}`))
  return draft(`z.strictObject({ ${inner.join(', ')} })`, example, ...notes, ...below)
}

function array(schema: Node, place: Place): SchemaDraft {
  const items = schemaSource(schema['items'], place)
  const { minItems, maxItems } = schema
  const least = isCount(minItems) && minItems > 0 ? minItems : 0
  const bounds = `${least > 0 ? `.min(${least})` : ''}${isCount(maxItems) ? `.max(${maxItems})` : ''}`
  return draft(
    `z.array(${items.source})${bounds}`,
    Array.from({ length: Math.min(least, 100) }, () => items.example),
    ...items.notes,
  )
}

function either(parts: readonly unknown[], place: Place): SchemaDraft {
  const drafts = parts.map((part) => schemaSource(part, place))
  const [first] = drafts
  if (first === undefined || drafts.some(({ source }) => source === 'z.json()'))
    return anyJson('is one of several schemas')
  return draft(
    `z.union([${drafts.map(({ source }) => source).join(', ')}])`,
    first.example,
    ...drafts.flatMap(({ notes }) => notes),
  )
}

function bare(schema: Node, place: Place): SchemaDraft {
  const { type } = typeOf(schema)
  const { carrier } = place
  const values = Object.hasOwn(schema, 'const') ? [schema['const']] : listOf(schema['enum'])
  const chosen = values.length > 0 ? choice(values, carrier) : undefined
  if (chosen) return chosen
  if (type === 'integer' || type === 'number') return number(schema, type === 'integer', carrier)
  if (type === 'boolean')
    return carrier === 'text' ? draft("z.enum(['true', 'false'])", 'true') : draft('z.boolean()', true)
  if (type === 'string') return text(schema)
  if (carrier === 'text')
    return draft('z.string()', 'example', `is ${type ?? 'of no single type'} in the query; text was assumed`)
  if (type === 'array') return array(schema, place)
  if (type === 'object' || listOf(schema['allOf']).length > 0) return object(schema, place)
  const parts = [...nodesOf(schema['oneOf']), ...nodesOf(schema['anyOf'])]
  return parts.length > 0 ? either(parts, place) : anyJson('has no type that is understood')
}

/** Why a schema is not written out, or undefined. */
function whyNot(schema: Node | undefined, { within, budget }: Place): string | undefined {
  if (schema === undefined) return 'leads outside the document'
  if (within.includes(schema)) return 'holds itself'
  return within.length >= MAX_DEPTH || budget.left <= 0 ? 'is nested too deep' : undefined
}

/** The zod text for an OpenAPI schema. What it cannot say it widens, with a note; never silently. */
export function schemaSource(schema: unknown, place: Place): SchemaDraft {
  const resolved = place.document.resolve(schema)
  const why = whyNot(resolved, place)
  if (resolved === undefined || why !== undefined) {
    return place.carrier === 'text' ? draft('z.string()', 'example', why ?? '') : anyJson(why ?? '')
  }
  place.budget.left -= 1
  const made = bare(resolved, { ...place, within: [...place.within, resolved] })
  const isNullable = typeOf(resolved).isNullable && place.carrier === 'json' && made.source !== 'z.json()'
  return isNullable ? { ...made, source: `${made.source}.nullable()` } : made
}
