import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { checkBodyFields, isJson, parseBody } from './json-body.ts'
import { RequestFields } from './request-fields.ts'

const fieldsOf = (more: Partial<RequestFields>): RequestFields => Object.assign(new RequestFields(), more)
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const digest = (text: string): string => `sha-256=:${createHash('sha256').update(text).digest('base64')}:`

describe('isJson()', () => {
  test.each([
    'application/json',
    'APPLICATION/Json',
    ' application/json ',
    'application/json ;charset=utf-8',
    'application/json; charset=UTF-8',
    'application/json;charset="utf-8"',
    'application/json; v=1; charset=utf-8',
    'application/json; v=1',
    'application/json;',
    'application/vnd.charset+json',
    'application/vnd.charset+json; v=1',
    'application/merge-patch+json',
    'application/problem+json; charset=utf-8',
  ])('takes %j', (type) => {
    expect(isJson(type)).toBe(true)
  })

  test.each([
    undefined,
    '',
    'json',
    'text/json',
    'text/x+json',
    'application/jsonp',
    'application/json-seq',
    'application/json+xml',
    'application/xml',
    'xapplication/json',
    'xapplication/x+json',
    'text/plain; type=application/json',
    'application/json, text/plain',
    'application/json;charset=utf-16',
    'application/json; charset=latin1',
    'application/json;charset=utf-8;charset=utf-8',
    'application/json;charset=utf-8;charset=utf-16',
    "application/json;charset*=utf-8''utf-8",
    'application/json;xcharset=utf-8',
    'application/json;charset=utf-8x',
    'application/json;charset="utf-8',
    'application/json;CHARSET = utf-8',
  ])('does not take %j', (type) => {
    expect(isJson(type)).toBe(false)
  })
})

describe('checkBodyFields()', () => {
  const contentType = 'application/json'

  test.each<Partial<RequestFields>>([
    {},
    { contentEncoding: 'identity' },
    { contentEncoding: 'Identity' },
    { transferEncoding: 'chunked' },
    { transferEncoding: 'Chunked' },
    { contentEncoding: 'identity', transferEncoding: 'chunked' },
  ])('lets JSON through with %j', (more) => {
    expect(checkBodyFields(fieldsOf({ contentType, ...more }))).toBeUndefined()
  })

  test.each<Partial<RequestFields>>([
    { contentEncoding: 'gzip' },
    { contentEncoding: '' },
    { contentEncoding: 'identity, gzip' },
    { transferEncoding: 'gzip, chunked' },
    { transferEncoding: 'identity' },
    { transferEncoding: 'gzip', contentEncoding: 'identity' },
    { transferEncoding: 'chunked', contentEncoding: 'br' },
    { contentType: undefined },
    { contentType: 'text/plain' },
  ])('refuses a body with %j', (more) => {
    expect(checkBodyFields(fieldsOf({ contentType, ...more }))).toMatchObject({ ok: false, reason: 'body-unsupported' })
  })
})

describe('parseBody()', () => {
  test.each([
    undefined,
    digest('{"a":1}'),
    `sha-512=:AAAA:, ${digest('{"a":1}')}`,
    `${digest('{"a":1}')} , sha-512=:AAAA:`,
  ])('reads JSON under the Content-Digest %j', (contentDigest) => {
    expect(parseBody(bytes('{"a":1}'), fieldsOf({ contentDigest }))).toEqual({ ok: true, value: { a: 1 } })
  })

  test.each([
    '',
    ',',
    digest('{"a":2}'),
    digest('{"a":1}').slice(0, -1),
    digest('{"a":1}').replace('sha-256', 'sha-512'),
    digest('{"a":1}').replaceAll(':', ''),
    'sha-512=:AAAA:',
  ])('refuses a body under the Content-Digest %j', (contentDigest) => {
    expect(parseBody(bytes('{"a":1}'), fieldsOf({ contentDigest }))).toMatchObject({ ok: false, reason: 'proof-body' })
  })

  test.each(['', ' ', '{', '{"a":1,"a":2}', '{"a":1}x'])('refuses %j', (text) => {
    expect(parseBody(bytes(text), fieldsOf({}))).toMatchObject({ ok: false, reason: 'request-malformed' })
  })
})
