import { memoryTrail } from '@hallpass/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sendRaw } from '../test/raw-request.ts'
import { REFUND, credentials, read, refund, search } from '../test/scenario.ts'
import { scriptedLedger } from '../test/scripted-ledger.ts'
import type { Run } from '../test/surfaces.ts'
import { surfaces } from '../test/surfaces.ts'
import { orders } from '../test/test-api.ts'
import { NOW, createTestIssuer } from '../test/test-issuer.ts'
import { createVerifier } from './index.ts'

const utf16 = Buffer.from(REFUND, 'utf16le')
const deep = `{"amount":"42.00","note":${'['.repeat(5000)}${']'.repeat(5000)}}`

const REFUSED = { refused: true, runs: 0, spent: 0 }

describe.each(surfaces)('$name', (surface) => {
  const issuer = createTestIssuer()
  const ledger = scriptedLedger()
  const verifier = createVerifier({ api: orders, issuer, ledger, audit: memoryTrail(), clock: () => NOW })
  const runs: Run[] = []
  let app: Awaited<ReturnType<typeof surface.start>>

  beforeAll(async () => {
    app = await surface.start({ verifier, handle: (run) => (runs.push(run), {}) })
  })
  beforeEach(() => {
    runs.length = 0
    ledger.requests.length = 0
  })
  afterAll(() => app.close())

  /** Refused by the guard or by the framework before it, without a use spent and without a server error. */
  const outcomeOf = async (request: Parameters<typeof sendRaw>[1]) => {
    const { status } = await sendRaw(app.port, request)
    return { refused: status >= 400 && status < 500, runs: runs.length, spent: ledger.requests.length }
  }

  test.each([
    'application/json; charset=utf-16',
    'application/json; charset=latin1',
    'application/json; v=1; charset=utf-16',
    'application/json;charset=utf-8;charset=utf-16',
    'application/json; charset="utf-16"',
    "application/json; charset*=utf-8''utf-16",
    'application/json; CHARSET = utf-16',
    'application/json, text/plain',
    'application/jsonp',
    'application/x-json',
    'text/json',
    'text/plain',
    'text/x+json',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'application/cbor',
    'json',
    '',
  ])('refuses a body under the content type %j', async (type) => {
    expect(
      await outcomeOf(refund(issuer, { headers: (t, p) => [...credentials(t, p), 'content-type', type] })),
    ).toEqual(REFUSED)
  })

  test.each([
    'application/json',
    'Application/JSON',
    'application/json ; charset=UTF-8',
    'application/vnd.orders+json',
    'application/json;charset="utf-8"',
  ])('hands over a body under the content type %j', async (type) => {
    const request = refund(issuer, { headers: (t, p) => [...credentials(t, p), 'content-type', type] })
    expect((await sendRaw(app.port, request)).status).toBe(200)
    expect(runs.map(({ body }) => body)).toEqual([{ amount: '42.00' }])
  })

  test.each([
    'gzip',
    'br',
    'deflate',
    'x-gzip',
    'zstd',
    'identity, gzip',
    'gzip, identity',
    'aws-chunked',
    'identity;q=1',
  ])('refuses a body under the content encoding %j', async (encoding) => {
    expect(
      await outcomeOf(
        refund(issuer, {
          headers: (t, p) => [...credentials(t, p), 'content-type', 'application/json', 'content-encoding', encoding],
        }),
      ),
    ).toEqual(REFUSED)
  })

  test.each<[string, string | Uint8Array]>([
    ['a byte order mark', `\ufeff${REFUND}`],
    ['UTF-16', utf16],
    ['UTF-16 with a mark', Buffer.concat([Buffer.from([0xff, 0xfe]), utf16])],
    ['Latin-1', Buffer.from('{"amount":"42.00","note":"é"}', 'latin1')],
    ['overlong UTF-8', Buffer.from([...Buffer.from('{"amount":"42.00"'), 0xc0, 0xaf, 0x7d])],
    ['a NUL behind', `${REFUND}\u0000`],
    ['a NUL inside', '{"amount":"42.00\u0000"}'],
    ['two documents', REFUND + REFUND],
    ['a line more', `${REFUND}\n{"amount":"43.00"}`],
    ['a comment', `/**/${REFUND}`],
    ['single quotes', "{'amount':'42.00'}"],
    ['a trailing comma', '{"amount":"42.00",}'],
    ['a twin', '{"amount":"43.00","amount":"42.00"}'],
    ['a twin in escapes', '{"amount":"42.00","\\u0061mount":"43.00"}'],
    ['a twin in a prototype', '{"amount":"42.00","__proto__":{"amount":"43.00"}}'],
    ['a constructor', '{"amount":"42.00","constructor":{"prototype":{"x":1}}}'],
    ['a lone surrogate', '{"amount":"42.00","note":"\\ud800"}'],
    ['depth', deep],
    ['NaN', '{"amount":"42.00","note":NaN}'],
    ['infinity', '{"amount":1e999}'],
    ['an array of it', `[${REFUND}]`],
    ['it as text', JSON.stringify(REFUND)],
    ['null', 'null'],
    ['white space', '  '],
    ['form text', 'amount=42.00'],
    ['other letter case', '{"Amount":"42.00"}'],
    ['a dotted path', '{"amount":"42.00","amount.x":"1"}'],
    ['a bracket', '{"amount[]":"42.00"}'],
  ])('refuses %s in the body', async (_name, body) => {
    expect(
      await outcomeOf(
        refund(issuer, {
          body: body as string,
          grant: { constraints: { amount: { any: true }, note: { any: true, optional: true } } },
        }),
      ),
    ).toEqual(REFUSED)
    expect(await outcomeOf(refund(issuer, { body: body as string, request: { chunked: true, body } }))).toEqual(REFUSED)
  })

  test.each([
    '42',
    '42.0',
    '"42"',
    '"42.0"',
    '"42.000"',
    '"4.2e1"',
    '"+42.00"',
    '"-42.00"',
    '" 42.00"',
    '"042.00"',
    '"42,00"',
    '"٤٢.00"',
    '"0x2a"',
    '["42.00"]',
    '{"$gt":"0"}',
    'true',
    'null',
    '""',
  ])('takes no %s for the amount "42.00"', async (amount) => {
    expect(await outcomeOf(refund(issuer, { body: `{"amount":${amount}}` }))).toEqual(REFUSED)
  })

  test.each([
    'status[]=open',
    'status[0]=open',
    'status=open&status=open',
    'status=open&status[]=closed',
    'status=open&STATUS=closed',
    'STATUS=open',
    'status.x=open',
    'status=open&__proto__[status]=closed',
    'status=open&constructor.prototype.x=1',
    'status=open&x',
    'status=open&=x',
    'status=open&',
    'status=open;status=closed',
    'status=open%00',
    'status=open%20',
    'status=+open',
    'status=open,closed',
    'status=open%26status=closed',
    'status=%C0%AFopen',
    'status=%u006fpen',
    'st%2561tus=open',
    'status=op%2565n',
    '?status=open',
    'status=open?',
    'status',
    '',
  ])('takes no query %j for status=open', async (query) => {
    expect(await outcomeOf(search(issuer, { query }))).toEqual(REFUSED)
  })

  test.each(['GET', 'HEAD', 'DELETE'])('refuses a body on a %s to a route that reads', async (method) => {
    for (const chunked of [false, true]) {
      expect(
        await outcomeOf(
          read(issuer, {
            headers: (t, p) => [...credentials(t, p), 'content-type', 'application/json'],
            request: { method, chunked, body: REFUND },
            proof: { method, body: REFUND },
          }),
        ),
      ).toEqual(REFUSED)
    }
  })
})
