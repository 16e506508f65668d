import { isDeepStrictEqual } from 'node:util'
import {
  assembleParameters,
  buildCall,
  decimal,
  defineApi,
  findAction,
  parseParameters,
  partsOfResource,
  requestUrl,
  resourceFrom,
} from '@hallpass/core'
import type { Action, JsonObject, JsonValue } from '@hallpass/core'
import { z } from 'zod'
import type { Random } from '../run/random.ts'
import { BOTH, defineTarget, difference, NEITHER, stricter } from './target.ts'
import type { Verdict } from './target.ts'

interface CallCase {
  readonly action: string
  /** Decoded once, as a framework's router hands them over. */
  readonly route: Readonly<Record<string, string>>
  readonly query: string
  /** Absent where the request has none. */
  readonly body?: JsonValue
}

const api = defineApi({
  audience: 'https://orders.example',
  actions: {
    search: {
      route: 'GET /orders/{id}/lines',
      resource: 'order:{id}',
      risk: 'read',
      parameters: z.strictObject({ q: z.string(), from: z.string().optional() }),
    },
    refund: {
      route: 'POST /orders/{id}/lines/{line}/refund/{kind}',
      resource: 'line:{id}:{line}',
      risk: 'write',
      parameters: z.strictObject({
        kind: z.string(),
        amount: decimal(),
        note: z.string().optional(),
        tags: z.array(z.string()).optional(),
      }),
    },
    drop: {
      route: 'DELETE /orders/{id}',
      resource: 'order:{id}',
      risk: 'critical',
      parameters: z.strictObject({ q: z.string().optional() }),
    },
  },
})
const NAMES = ['search', 'refund', 'drop'] as const
const ROUTES: Readonly<Record<string, { readonly resource: readonly string[]; readonly carried: readonly string[] }>> =
  {
    search: { resource: ['id'], carried: [] },
    refund: { resource: ['id', 'line'], carried: ['kind'] },
    drop: { resource: ['id'], carried: [] },
  }

const PARTS = [
  '7',
  'a',
  'A',
  'é',
  'e\u0301',
  'a b',
  '',
  '.',
  '..',
  'a..b',
  'a/b',
  'a\\b',
  '%2e',
  '%37',
  '*',
  'a:b',
  '\0',
  '\u200b',
  '\u202e',
  '\ud800',
  '__proto__',
  'constructor',
  'x'.repeat(600),
]
const QUERY_PIECES = [
  'q',
  'from',
  'kind',
  'amount',
  'id',
  '=',
  '=',
  '&',
  '&',
  'a',
  '%41',
  '%',
  '%zz',
  '%ff',
  '+',
  '%2B',
  '[]',
  '[0]',
  ';',
  '__proto__',
  'constructor',
  '%00',
  '%ed%a0%80',
  '?',
  '/',
  'Q',
]
const MEMBERS: readonly (readonly [string, JsonValue])[] = [
  ['amount', '42.00'],
  ['amount', '4.2e1'],
  ['amount', 42],
  ['amount', ['42.00']],
  ['note', 'a'],
  ['note', null],
  ['tags', ['a', 'b']],
  ['tags', 'a'],
  ['kind', 'full'],
  ['id', '8'],
  ['line', '9'],
  ['q', 'x'],
  ['admin', true],
  ['constructor', 1],
  ['toString', 'a'],
  ['Amount', '1'],
]

function makeCase(random: Random): CallCase {
  const action = random.pick(NAMES)
  const { resource = [], carried = [] } = ROUTES[action] ?? {}
  const names = [
    ...resource,
    ...carried,
    ...(random.oneIn(12) ? [random.pick(['extra', 'q', 'amount', 'constructor'])] : []),
  ]
  const pieces = () => Array.from({ length: random.below(6) }, () => random.pick(QUERY_PIECES)).join('')
  const takesBody = action === 'refund'
  const honestQuery = takesBody ? '' : random.pick(['q=a', 'q=a&from=b', 'from=%C3%A9&q=a+b', 'q=', ''])
  const query = random.oneIn(3) ? pieces() : honestQuery
  const members = Array.from({ length: random.below(3) }, () => random.pick(MEMBERS))
  const body: JsonValue = random.oneIn(12)
    ? random.pick<JsonValue>([null, [], 'a', 1, [{ amount: '1' }]])
    : { amount: '1.00', ...Object.fromEntries(members) }
  const part = () => (random.oneIn(2) ? random.pick(PARTS) : '7')
  return {
    action,
    route: Object.fromEntries(names.filter(() => !random.oneIn(30)).map((name) => [name, part()])),
    query,
    ...((takesBody ? !random.oneIn(10) : random.oneIn(10)) ? { body } : {}),
  }
}

/** The parameters by other means: URLSearchParams and a copy; undefined where a careful handler would not know what is meant. */
function parametersByHand(action: Action, { route, query, body }: CallCase): Map<string, JsonValue> | undefined {
  const { resource = [], carried = [] } = ROUTES[action.name] ?? {}
  const found = new Map<string, JsonValue>()
  const known = Object.keys(action.parameters.shape).filter((name) => !carried.includes(name))
  if (action.method === 'POST' ? query !== '' : body !== undefined) return undefined
  for (const [name, value] of new URLSearchParams(`?${query}`)) {
    if (found.has(name) || !known.includes(name)) return undefined
    found.set(name, value)
  }
  if (body !== undefined && (typeof body !== 'object' || body === null || Array.isArray(body))) return undefined
  for (const [name, value] of Object.entries((body ?? {}) as JsonObject)) {
    if (!known.includes(name)) return undefined
    found.set(name, value)
  }
  for (const [name, value] of Object.entries(route)) {
    if (resource.includes(name)) continue
    if (!carried.includes(name)) return undefined
    found.set(name, value)
  }
  return found
}

/** Broken escapes, empty pairs and pairs without a name, which URLSearchParams forgives. */
const isOddQuery = (query: string): boolean =>
  query.split('&').some((pair) => pair === '' || pair.startsWith('=') || !pair.includes('=') || !isDecodable(pair))

function isDecodable(text: string): boolean {
  try {
    return decodeURIComponent(text) !== ''
  } catch {
    return false
  }
}

function judgeParameters(action: Action, input: CallCase): Verdict {
  const { route, query, body } = input
  const ours = assembleParameters(action, { route, query, body })
  const theirs = parametersByHand(action, input)
  if (!ours.ok) {
    if (theirs === undefined) return NEITHER
    return query !== '' && isOddQuery(query)
      ? stricter('query-form')
      : difference('call: parameters refused for no written reason')
  }
  if (theirs === undefined) return difference('call: takes parameters a careful handler would not')
  const isSame = isDeepStrictEqual(Object.entries(ours.value).toSorted(byName), [...theirs].toSorted(byName))
  if (!isSame) return difference('call: other parameters than a handler sees')
  return BOTH
}

const byName = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number =>
  one < other ? -1 : 1

/** Characters no part of a resource may have, written down a second time. */
const ODD_PART = /[/\\%*\p{Cc}\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\.\.|^\.?$|\p{Cs}/u

function judgeResource(action: Action, { route }: CallCase): Verdict {
  const ours = resourceFrom(action, route)
  const { resource = [] } = ROUTES[action.name] ?? {}
  const parts = resource.map((name) => (Object.hasOwn(route, name) ? (route[name] ?? '') : ''))
  const text = `${action.resource.split(':', 1)[0] ?? ''}:${parts.join(':')}`
  const isSound = parts.every((part) => !ODD_PART.test(part) && part === part.normalize('NFC')) && text.length <= 512
  const isOneReading = parts.length === 1 || parts.every((part) => !part.includes(':'))
  if (ours.ok !== (isSound && isOneReading)) return difference('call: another set of resources than written down')
  if (!ours.ok) return NEITHER
  if (ours.value !== text) return difference('call: another resource')
  const again = partsOfResource(action, ours.value)
  const isBack = again.ok && resource.every((name) => again.value[name] === route[name])
  return isBack ? BOTH : difference('call: a resource that does not lead back to its parts')
}

/** What our client would send for this call, read back by the server's side. */
function judgeRoundTrip(action: Action, input: CallCase): Verdict {
  const resource = resourceFrom(action, input.route)
  const raw = assembleParameters(action, { route: input.route, query: input.query, body: input.body })
  if (!resource.ok || !raw.ok || !parseParameters(action, raw.value).ok) return NEITHER
  const built = buildCall(action, resource.value, raw.value)
  // A carried part that cannot stand in a path is refused by the client, whatever a router would have made of it.
  if (!built.ok) return NEITHER
  const url = requestUrl(api.audience, built.value.path)
  if (!url.ok) return difference('call: the client builds what the verifier refuses')
  const values = url.value.path.split('/').map((part) => decodeURIComponent(part))
  const template = (action.path ?? '').split('/')
  const route = Object.fromEntries(
    template.flatMap((part, at) => (part.startsWith('{') ? [[part.slice(1, -1), values[at] ?? '']] : [])),
  )
  const body = built.value.body === undefined ? undefined : (JSON.parse(built.value.body) as JsonValue)
  const again = assembleParameters(action, { route, query: url.value.query, body })
  const same = resourceFrom(action, route)
  const isBack = again.ok && same.ok && same.value === resource.value && sameMembers(again.value, raw.value)
  return isBack ? BOTH : difference('call: the server reads another call than the client built')
}

const sameMembers = (one: JsonObject, other: JsonObject): boolean =>
  isDeepStrictEqual(Object.entries(one).toSorted(byName), Object.entries(other).toSorted(byName))

export const callTarget = defineTarget<CallCase>({
  name: 'call',
  about: 'resource and parameters of a request against a reading by hand, and buildCall against both',
  make: makeCase,
  judge(input) {
    const action = findAction(api, input.action)
    if (action === undefined) return NEITHER
    const verdicts = [judgeParameters, judgeResource, judgeRoundTrip].map((judge) => judge(action, input))
    return verdicts.find(({ kind }) => kind === 'difference') ?? verdicts[0] ?? NEITHER
  },
})
