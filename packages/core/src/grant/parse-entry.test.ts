import { describe, expect, test } from 'vitest'
import type { JsonValue } from '../json/value.ts'
import { parseTaskEntry, parseToolCallEntry, parseToolCallRequest } from './parse-entry.ts'

const task = { type: 'urn:hallpass:task', purpose: 'support-ticket' }
const request = {
  type: 'urn:hallpass:tool-call',
  locations: ['https://a.example'],
  actions: ['refund.create'],
  identifier: 'order:123',
}
const digest = `sha-256:${'A'.repeat(43)}`
const entry = { ...request, parameter_digest: digest, limits: [] }
const limit = { id: 'calls', per: 'grant', max: 1 }

const without = (object: Record<string, JsonValue>, name: string): JsonValue =>
  Object.fromEntries(Object.entries(object).filter(([member]) => member !== name))

const notObjects: [string, JsonValue][] = [
  ['null', null],
  ['a list', []],
  ['a text', 'urn:hallpass:task'],
  ['a number', 1],
]

describe('parseTaskEntry()', () => {
  test.each<[string, JsonValue]>([
    ['a purpose', task],
    [
      'everything',
      { ...task, note: '#9917', deadline: 1800000000, ceiling: { actions: ['refund.create'], resources: ['order:*'] } },
    ],
    ['a purpose of two words', { ...task, purpose: 'support ticket' }],
    ['a purpose of 512 characters', { ...task, purpose: 'x'.repeat(512) }],
    ['a note of 256 characters', { ...task, note: 'x'.repeat(256) }],
    ['a deadline of 1', { ...task, deadline: 1 }],
    ['a ceiling of 64 actions', { ...task, ceiling: { actions: Array.from({ length: 64 }, (_, i) => `a${i}`) } }],
    ['an empty note', { ...task, note: '' }],
    ['an empty ceiling, which narrows nothing', { ...task, ceiling: {} }],
  ])('reads %s', (_name, value) => {
    expect(parseTaskEntry(value)).toEqual({ ok: true, value })
  })

  test.each<[string, JsonValue]>([
    ...notObjects,
    ['another type', { ...task, type: 'urn:hallpass:tool-call' }],
    ['an unknown member', { ...task, scope: 'all' }],
    ['no purpose', without(task, 'purpose')],
    ['an empty purpose', { ...task, purpose: '' }],
    ['a purpose that is a list', { ...task, purpose: ['support-ticket'] }],
    ['a purpose with a line break', { ...task, purpose: 'a\nb' }],
    ['a purpose with a DEL', { ...task, purpose: 'a\u007f' }],
    ['a purpose with a unit separator', { ...task, purpose: 'a\u001f' }],
    ['a deadline of 0', { ...task, deadline: 0 }],
    ['a note of 257 characters', { ...task, note: 'x'.repeat(257) }],
    ['a note that is not text', { ...task, note: 1 }],
    ['a deadline as text', { ...task, deadline: '1800000000' }],
    ['a deadline with a fraction', { ...task, deadline: 1.5 }],
    ['a negative deadline', { ...task, deadline: -1 }],
    ['a null deadline', { ...task, deadline: null }],
    ['a ceiling with an unknown member', { ...task, ceiling: { actions: ['a'], apis: ['b'] } }],
    ['a ceiling that lists nothing', { ...task, ceiling: { actions: [] } }],
    ['a ceiling that is one text', { ...task, ceiling: { actions: 'refund.create' } }],
    ['a ceiling of 65 actions', { ...task, ceiling: { actions: Array.from({ length: 65 }, (_, i) => `a${i}`) } }],
    ['a ceiling of text and a number', { ...task, ceiling: { actions: ['a', 1] } }],
    ['a ceiling that is null', { ...task, ceiling: null }],
    ['a ceiling that is a list', { ...task, ceiling: ['a'] }],
    ['a ceiling of numbers', { ...task, ceiling: { resources: [1] } }],
  ])('refuses %s', (_name, value) => {
    expect(parseTaskEntry(value)).toMatchObject({ ok: false, reason: 'details-invalid' })
  })
})

describe('parseToolCallRequest()', () => {
  test.each<[string, JsonValue]>([
    ['no parameters', request],
    ['parameters', { ...request, parameters: { amount: '1' } }],
  ])('reads one with %s', (_name, value) => {
    expect(parseToolCallRequest(value)).toEqual({ ok: true, value })
  })

  test.each<[string, JsonValue]>([
    ...notObjects,
    ['a digest, which only the broker computes', { ...request, parameter_digest: digest }],
    ['limits, which only policy sets', { ...request, limits: [] }],
    ['an approval', { ...request, approval: { id: '1' } }],
    ['constraints', { ...request, constraints: {} }],
    ['a privilege', { ...request, privileges: ['admin'] }],
    ['parameters that are a list', { ...request, parameters: [] }],
    ['parameters that are null', { ...request, parameters: null }],
  ])('refuses one with %s', (_name, value) => {
    expect(parseToolCallRequest(value)).toMatchObject({ ok: false, reason: 'details-invalid' })
  })
})

describe('parseToolCallEntry()', () => {
  test.each<[string, JsonValue]>([
    ['a digest', entry],
    ['constraints', { ...request, limits: [], constraints: { amount: { max: '50.00' } } }],
    [
      'limits',
      {
        ...entry,
        limits: [
          limit,
          { ...limit, id: 'total', per: 'task', parameter: 'amount', scale: 2, unit: 'EUR' },
          { ...limit, per: 'agent', window_seconds: 3600 },
        ],
      },
    ],
    ['a kind of one letter', { ...entry, identifier: 'o:1' }],
    ['16 limits', { ...entry, limits: Array.from({ length: 16 }, (_, index) => ({ ...limit, id: `l${index}` })) }],
    ['a scale of 15', { ...entry, limits: [{ ...limit, parameter: 'amount', scale: 15 }] }],
    ['a scale of 0', { ...entry, limits: [{ ...limit, parameter: 'amount', scale: 0 }] }],
    ['a window of a second', { ...entry, limits: [{ ...limit, per: 'agent', window_seconds: 1 }] }],
    ['one name for two scopes', { ...entry, limits: [limit, { ...limit, per: 'task' }] }],
    ['two names in one scope', { ...entry, limits: [limit, { ...limit, id: 'more' }] }],
    ['a class of resources', { ...entry, identifier: 'order:*' }],
    ['a limit of nothing', { ...entry, limits: [{ ...limit, max: 0 }] }],
  ])('reads one with %s', (_name, value) => {
    expect(parseToolCallEntry(value)).toEqual({ ok: true, value })
  })

  test.each<[string, JsonValue]>([
    ...notObjects,
    ['the type of a task', { ...entry, type: task.type }],
    ['no type', without(entry, 'type')],
    ['an unknown member', { ...entry, approval: {} }],
    ['two locations', { ...entry, locations: ['https://a.example', 'https://b.example'] }],
    ['no location', { ...entry, locations: [] }],
    ['a location that is not in a list', { ...entry, locations: 'https://a.example' }],
    ['two actions', { ...entry, actions: ['a', 'b'] }],
    ['an action that is a list', { ...entry, actions: [['a']] }],
    ['an empty action', { ...entry, actions: [''] }],
    ['an identifier that is a list', { ...entry, identifier: ['order:1'] }],
    ['an identifier without a kind', { ...entry, identifier: '123' }],
    ['an identifier without an id', { ...entry, identifier: 'order:' }],
    ['an empty kind', { ...entry, identifier: ':1' }],
    ['an identifier with a control character', { ...entry, identifier: 'order:1\u0000' }],
    ['an identifier beyond 512 characters', { ...entry, identifier: `order:${'1'.repeat(512)}` }],
    ['neither digest nor constraints', without(entry, 'parameter_digest')],
    ['both digest and constraints', { ...entry, constraints: {} }],
    ['another digest', { ...entry, parameter_digest: `sha-1:${'A'.repeat(43)}` }],
    ['a short digest', { ...entry, parameter_digest: 'sha-256:AAAA' }],
    ['a digest with a line break', { ...entry, parameter_digest: `${digest}\n` }],
    ['a null digest', { ...entry, parameter_digest: null }],
    ['no limits member', without(entry, 'limits')],
    ['limits that are no list', { ...entry, limits: limit }],
    ['17 limits', { ...entry, limits: Array.from({ length: 17 }, (_, index) => ({ ...limit, id: `l${index}` })) }],
    ['the first of three limits again at the end', { ...entry, limits: [limit, { ...limit, id: 'b' }, limit] }],
    ['a window of no seconds', { ...entry, limits: [{ ...limit, per: 'agent', window_seconds: 0 }] }],
    ['a unit that is empty', { ...entry, limits: [{ ...limit, parameter: 'amount', unit: '' }] }],
    ['a limit that is null', { ...entry, limits: [null] }],
    ['one limit twice', { ...entry, limits: [limit, { ...limit, max: 5 }] }],
    ['a limit with an unknown member', { ...entry, limits: [{ ...limit, min: 0 }] }],
    ['a limit of another scope', { ...entry, limits: [{ ...limit, per: 'world' }] }],
    ['a negative limit', { ...entry, limits: [{ ...limit, max: -1 }] }],
    ['a fractional limit', { ...entry, limits: [{ ...limit, max: 1.5 }] }],
    ['a limit beyond 2^53', { ...entry, limits: [{ ...limit, max: 2 ** 53 }] }],
    ['a limit as text', { ...entry, limits: [{ ...limit, max: '1' }] }],
    ['a scale without a parameter', { ...entry, limits: [{ ...limit, scale: 2 }] }],
    ['a scale beyond 15', { ...entry, limits: [{ ...limit, parameter: 'amount', scale: 16 }] }],
    ['a negative scale', { ...entry, limits: [{ ...limit, parameter: 'amount', scale: -1 }] }],
    ['a unit without a parameter', { ...entry, limits: [{ ...limit, unit: 'EUR' }] }],
    ['an agent limit without a window', { ...entry, limits: [{ ...limit, per: 'agent' }] }],
    ['a task limit with a window', { ...entry, limits: [{ ...limit, per: 'task', window_seconds: 60 }] }],
  ])('refuses one with %s', (_name, value) => {
    expect(parseToolCallEntry(value)).toMatchObject({ ok: false, reason: 'details-invalid' })
  })
})
