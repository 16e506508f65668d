import { covers, narrower, parameterDigest, parseToolCallEntry } from '@hallpass/core'
import type { Constraint, JsonObject, JsonValue, ToolCallEntry } from '@hallpass/core'
import { mutateValue } from '../mutate/json-value.ts'
import type { Random } from '../run/random.ts'
import { toolCallEntry } from '../strictness/profile.ts'
import { AUDIENCE, WORDS } from './seed-tokens.ts'
import { BOTH, defineTarget, difference, NEITHER } from './target.ts'
import type { Verdict } from './target.ts'

interface CoverCase {
  readonly parent: JsonValue
  readonly child: JsonValue
  readonly ask: {
    readonly audience: string
    readonly action: string
    readonly resource: string
    readonly parameters: JsonObject
  }
}

const AMOUNTS = ['0', '1', '1.0', '1.00', '2', '10', '9', '49.99', '50', '50.00', '-1', '100']
const VALUES: readonly JsonValue[] = [
  ...AMOUNTS,
  'a',
  'b',
  'A',
  '/home/x',
  '/home/../etc',
  '/home/%2e%2e/x',
  '/home/',
  1,
  1.5,
  null,
  true,
  'true',
  [],
  ['a'],
  { a: 1 },
  { a: '1' },
  'é',
  'e\u0301',
  '1e1',
  ' 1',
  '01',
  'toString',
  { b: 1, a: 2 },
  { a: 2, b: 1 },
]
const NAMES = ['amount', 'note', 'path', 'constructor', 'toString', 'Amount', '0']

function constraint(random: Random): Constraint {
  const optional = random.oneIn(4) ? { optional: true } : {}
  const value = random.pick(VALUES)
  const choices: readonly Constraint[] = [
    { equals: value, ...optional },
    { one_of: [value, random.pick(VALUES)], ...optional },
    { min: random.pick(AMOUNTS), ...optional },
    { max: random.pick(AMOUNTS), ...optional },
    { min: random.pick(AMOUNTS), max: random.pick(AMOUNTS), ...optional },
    { prefix: random.pick(['/home/', '/home/x', '/', 'a', '5']), ...optional },
    { any: true, ...optional },
  ]
  return random.pick(choices)
}

function entry(random: Random): JsonObject {
  const names = NAMES.filter(() => random.oneIn(3))
  const limit = { id: 'calls', per: 'grant', max: random.pick([1, 2, 5]) }
  const total = { id: 'total', per: 'task', max: random.pick([10, 100]), parameter: 'amount', scale: 2 }
  const rights: JsonObject = random.oneIn(4)
    ? { parameter_digest: parameterDigest({ amount: random.pick(VALUES) }) }
    : { constraints: Object.fromEntries(names.map((name) => [name, constraint(random) as unknown as JsonValue])) }
  return {
    type: 'urn:hallpass:tool-call',
    locations: [random.oneIn(10) ? 'https://other.example' : AUDIENCE],
    actions: [random.oneIn(10) ? 'refund.read' : 'refund.create'],
    identifier: random.pick(['order:1', 'order:1', 'order:*', 'order:2', 'order:1:x', 'item:*', 'order:1*']),
    limits: [limit, ...(random.oneIn(2) ? [total] : [])],
    ...rights,
  }
}

/** A child is often the parent itself, made a little narrower or wider: two entries of chance are never related. */
function related(random: Random, parent: JsonObject): JsonObject {
  if (random.oneIn(4)) return entry(random)
  const { constraints } = parent as { readonly constraints?: JsonObject }
  if (constraints === undefined || random.oneIn(4)) return mutateValue(random, parent, WORDS) as JsonObject
  const changed = Object.entries(constraints).flatMap(([name, value]): [string, JsonValue][] => {
    if (random.oneIn(8)) return []
    return [[name, random.oneIn(2) ? value : constraint(random)]]
  })
  return {
    ...parent,
    constraints: Object.fromEntries(changed),
    identifier: random.pick([parent['identifier'] as string, 'order:1']),
  }
}

function judge({ parent, child, ask }: CoverCase): Verdict {
  for (const one of [parent, child]) {
    if (parseToolCallEntry(one).ok !== toolCallEntry.safeParse(one).success)
      return difference('cover: reads another set of entries than the schema')
  }
  const [wide, tight] = [parseToolCallEntry(parent), parseToolCallEntry(child)]
  if (!wide.ok || !tight.ok) return NEITHER
  if (!narrower(wide.value, wide.value)) return difference('cover: an entry that is not inside itself')
  const byHand = [wide.value, tight.value].map((one) => coversByHand(one, ask))
  const said = [wide.value, tight.value].map((one) => covers(one, ask).ok)
  if (said.join() !== byHand.join()) return difference('cover: covers() says another thing than the reading by hand')
  if (narrower(tight.value, wide.value)) {
    if (said[1] === true && said[0] === false) return difference('cover: a narrower child covers more')
    const loose = tight.value.limits
    const isLoose = wide.value.limits.some(
      ({ id, per, max }) => !loose.some((own) => own.id === id && own.per === per && own.max <= max),
    )
    if (isLoose) return difference('cover: a narrower child has a wider limit')
    return BOTH
  }
  return said.some(Boolean) ? BOTH : NEITHER
}

/** The same question answered slowly, from the definitions. */
function coversByHand(one: ToolCallEntry, ask: CoverCase['ask']): boolean {
  const [kind = ''] = one.identifier.split(':')
  const isClass = one.identifier === `${kind}:*`
  const fits = isClass
    ? ask.resource.startsWith(`${kind}:`) && ask.resource.length > kind.length + 1
    : one.identifier === ask.resource
  if (one.locations[0] !== ask.audience || one.actions[0] !== ask.action || !fits || ask.resource.includes('*'))
    return false
  if (one.parameter_digest !== undefined) return one.parameter_digest === parameterDigest(ask.parameters)
  const constraints = new Map(Object.entries(one.constraints))
  if (!Object.keys(ask.parameters).every((name) => constraints.has(name))) return false
  return [...constraints].every(([name, rule]) => {
    const value = new Map(Object.entries(ask.parameters)).get(name)
    return value === undefined ? rule.optional === true : allowsByHand(rule, value)
  })
}

const sorted = (value: JsonValue): unknown =>
  Array.isArray(value)
    ? (value as readonly JsonValue[]).map(sorted)
    : typeof value === 'object' && value !== null
      ? Object.entries(value as JsonObject)
          .map(([name, part]) => [name, sorted(part)])
          .toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1))
          .concat([['{}']])
      : value
const same = (a: JsonValue, b: JsonValue): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))

/** As a count of 10^-20: digits behind the point filled up, no floating point in between. */
function units(value: JsonValue | undefined): bigint | undefined {
  if (typeof value !== 'string' || !/^(?!-0(\.0+)?$)-?(0|[1-9]\d{0,39})(\.\d{1,20})?$/.test(value)) return undefined
  const [whole = '', fraction = ''] = value.split('.')
  return BigInt(whole + fraction.padEnd(20, '0'))
}

function allowsByHand(rule: Constraint, value: JsonValue): boolean {
  if ('equals' in rule) return same(rule.equals, value)
  if ('one_of' in rule) return rule.one_of.some((choice) => same(choice, value))
  if ('any' in rule) return true
  if ('prefix' in rule) {
    if (typeof value !== 'string' || !value.startsWith(rule.prefix)) return false
    return !value.split('/').some((part) => part === '.' || part === '..') && !/%2e|[\\\p{Cc}]/iu.test(value)
  }
  const amount = units(value)
  const [min, max] = [units(rule.min), units(rule.max)]
  return amount !== undefined && (min === undefined || amount >= min) && (max === undefined || amount <= max)
}

export const coverTarget = defineTarget<CoverCase>({
  name: 'cover',
  about: 'parseToolCallEntry against the schema, covers against a reading by hand, narrower against covers',
  make(random) {
    const parent = entry(random)
    const parameters = Object.fromEntries(
      NAMES.filter(() => random.oneIn(4)).map((name) => [name, random.pick(VALUES)]),
    )
    return {
      parent: random.oneIn(6) ? mutateValue(random, parent, WORDS) : parent,
      child: related(random, parent),
      ask: {
        audience: random.oneIn(12) ? 'https://other.example' : AUDIENCE,
        action: random.oneIn(12) ? 'refund.read' : 'refund.create',
        resource: random.pick([
          'order:1',
          'order:1',
          'order:2',
          'order:*',
          'order:',
          'order:1:x',
          'Order:1',
          'item:é',
          'order',
        ]),
        parameters,
      },
    }
  },
  judge,
})
