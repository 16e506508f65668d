import {
  isJsonObject,
  ok,
  parseTraceParent,
  refuse,
  type JsonObject,
  type JsonValue,
  type Outcome,
  type RedeemRequest,
  type Result,
} from '@hallpass/core'

/** One operation of `POST /redeem`. */
export type RedeemCall =
  | { readonly op: 'redeem'; readonly request: RedeemRequest }
  | { readonly op: 'settle'; readonly reservation: string; readonly outcome: Outcome }
  | { readonly op: 'give_back'; readonly reservation: string; readonly reason: string }

type Parsed<T> = Result<T, 'request-invalid'>

const MAX_CALLS = 1000
const MAX_TEXT = 4096
const MAX_AMOUNTS = 64
const EVENT_ID = /^ev_[A-Za-z0-9_-]{8,64}$/

const invalid = (detail: string): Parsed<never> => refuse('request-invalid', detail)

/** Reads the body of `POST /redeem`: closed, typed and bounded. Does not check whose grants it is about. */
export function parseRedeemCalls(value: JsonValue): Parsed<readonly RedeemCall[]> {
  if (!isClosed(value, ['calls']) || !Array.isArray(value['calls'])) return invalid('not a list of calls')
  const list = value['calls'] as readonly JsonValue[]
  if (list.length > MAX_CALLS) return invalid('too many calls')
  const calls: RedeemCall[] = []
  for (const item of list) {
    const call = parseCall(item)
    if (!call.ok) return call
    calls.push(call.value)
  }
  return ok(calls)
}

function parseCall(value: JsonValue): Parsed<RedeemCall> {
  if (!isJsonObject(value)) return invalid('a call is an object')
  switch (value['op']) {
    case 'redeem':
      return isClosed(value, ['op', 'request']) ? parseRequest(value['request']) : invalid('redeem')
    case 'settle': {
      const { reservation, outcome } = value
      if (!isClosed(value, ['op', 'reservation', 'outcome']) || !isText(reservation) || !isOutcome(outcome))
        return invalid('settle')
      return ok({ op: 'settle', reservation, outcome })
    }
    case 'give_back': {
      const { reservation, reason } = value
      if (!isClosed(value, ['op', 'reservation', 'reason']) || !isText(reservation) || !isText(reason))
        return invalid('give_back')
      return ok({ op: 'give_back', reservation, reason })
    }
    default:
      return invalid('unknown operation')
  }
}

const TEXTS = ['attempt', 'audience', 'issuer', 'jti', 'txn', 'clientId', 'action', 'resource', 'event'] as const
const REQUEST_MEMBERS: readonly string[] = [
  ...TEXTS,
  'iat',
  'exp',
  'source',
  'limits',
  'amounts',
  'proof',
  'idempotency',
  'deadline',
  'owner',
  'policyVersion',
  'trace',
]

function parseRequest(value: JsonValue | undefined): Parsed<RedeemCall> {
  if (!isClosed(value, REQUEST_MEMBERS) || !TEXTS.every((name) => isText(value[name])))
    return invalid('a redeem request')
  const { iat, exp, amounts, proof, idempotency } = value
  // It only joins records: what is not one is left out, and nothing is refused for it.
  const trace = parseTraceParent(isText(value['trace']) ? value['trace'] : undefined)
  if (!isNumber(iat) || !isNumber(exp)) return invalid('iat and exp')
  if (!EVENT_ID.test(value['event'] as string)) return invalid('the event id')
  if (!isAmounts(amounts)) return invalid('amounts')
  if (proof !== undefined && !isProof(proof)) return invalid('proof')
  if (idempotency !== undefined && !isIdempotency(idempotency)) return invalid('idempotency')
  const text = Object.fromEntries(TEXTS.map((name) => [name, value[name]])) as Record<(typeof TEXTS)[number], string>
  // Limits are what this ledger registered, whatever the caller thinks they are.
  const request: RedeemRequest = {
    ...text,
    iat,
    exp,
    source: 'registered',
    limits: [],
    amounts,
    ...(proof === undefined ? {} : { proof }),
    ...(idempotency === undefined ? {} : { idempotency }),
    ...(trace === undefined ? {} : { trace }),
  }
  return ok({ op: 'redeem', request })
}

function isClosed(value: JsonValue | undefined, members: readonly string[]): value is JsonObject {
  return isJsonObject(value) && Object.keys(value).every((name) => members.includes(name))
}

const isText = (value: JsonValue | undefined): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_TEXT
const isNumber = (value: JsonValue | undefined): value is number => typeof value === 'number' && Number.isFinite(value)
const isUnits = (value: JsonValue | undefined): boolean => Number.isSafeInteger(value) && (value as number) >= 0

const isAmounts = (value: JsonValue | undefined): value is JsonObject & RedeemRequest['amounts'] =>
  isJsonObject(value) && Object.keys(value).length <= MAX_AMOUNTS && Object.values(value).every(isUnits)

function isProof(value: JsonValue): value is JsonObject & NonNullable<RedeemRequest['proof']> {
  if (!isClosed(value, ['jkt', 'jti', 'iat', 'acceptUntil'])) return false
  return isText(value['jkt']) && isText(value['jti']) && isNumber(value['iat']) && isNumber(value['acceptUntil'])
}

const isIdempotency = (value: JsonValue): value is JsonObject & NonNullable<RedeemRequest['idempotency']> =>
  isClosed(value, ['key', 'digest']) && isText(value['key']) && isText(value['digest'])

function isOutcome(value: JsonValue | undefined): value is JsonObject & Outcome {
  if (!isClosed(value, ['status', 'contentType', 'body'])) return false
  const { status, contentType, body } = value
  if (!Number.isSafeInteger(status) || (contentType !== undefined && !isText(contentType))) return false
  return body === undefined || typeof body === 'string'
}
