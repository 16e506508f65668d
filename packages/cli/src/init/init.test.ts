import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hallpass, temporaryDirectory } from '../../test/hallpass.ts'

const OPENAPI = `
openapi: 3.0.3
info: { title: Shop }
servers: [{ url: https://shop.example }]
paths:
  /customers/{customer-id}:
    get: { operationId: customer.read }
  /customers/{customer-id}/credits:
    post:
      requestBody:
        required: true
        content:
          application/json:
            schema: { $ref: '#/components/schemas/Credit' }
  /:
    get: {}
components:
  schemas:
    Credit:
      type: object
      required: [cents]
      properties: { cents: { type: integer }, why: { type: string, enum: [late, lost] } }
`
const text = (directory: string, name: string): string => readFileSync(join(directory, name), 'utf8')

describe('hallpass init', { timeout: 60_000 }, () => {
  test('writes a configuration that loads and is without a flaw', async () => {
    const cwd = temporaryDirectory()
    expect((await hallpass(['init'], { cwd })).code).toBe(0)
    const { code, stdout } = await hallpass(['policy', 'check', '--strict', '--json'], { cwd })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ agents: [{ id: 'support-bot', owner: 'team:support' }], findings: [] })
  })

  test('writes private keys for their owner alone, each in one place, and out of sight of git', async () => {
    const cwd = temporaryDirectory()
    writeFileSync(join(cwd, '.gitignore'), 'dist')
    const { stdout, stderr } = await hallpass(['init'], { cwd })
    const keys = ['keys/support-bot.jwk.json', 'keys/orders-api.jwk.json', 'keys/operator.jwk.json']
    expect(keys.map((name) => statSync(join(cwd, name)).mode & 0o777)).toEqual([0o600, 0o600, 0o600])
    const secrets = keys.map((name) => (JSON.parse(text(cwd, name)) as { d: string }).d)
    const visible = readdirSync(cwd).filter((name) => statSync(join(cwd, name)).isFile())
    const seen = [stdout, stderr, ...visible.map((name) => text(cwd, name))].join('\n')
    expect(secrets.filter((secret) => seen.includes(secret))).toEqual([])
    expect(text(cwd, '.gitignore').split('\n').slice(0, 4)).toEqual(['dist', 'keys/', '.hallpass/', 'audit.jsonl'])
  })

  test('writes nothing over what is there, and nothing at all then', async () => {
    const cwd = temporaryDirectory()
    mkdirSync(join(cwd, 'keys'))
    writeFileSync(join(cwd, 'keys/operator.jwk.json'), 'mine')
    const { code, stderr } = await hallpass(['init'], { cwd })
    expect(code).toBe(1)
    expect(stderr).toContain('keys/operator.jwk.json')
    expect([readdirSync(cwd), text(cwd, 'keys/operator.jwk.json')]).toEqual([['keys'], 'mine'])
  })

  test('keeps a package.json that is there', async () => {
    const cwd = temporaryDirectory()
    writeFileSync(join(cwd, 'package.json'), '{"type":"module"}')
    expect((await hallpass(['init', '--dir', '.'], { cwd })).code).toBe(0)
    expect(text(cwd, 'package.json')).toBe('{"type":"module"}')
  })
})

describe('hallpass init --from-openapi', { timeout: 60_000 }, () => {
  test('drafts a catalog that loads, and lists what a person has to look at', async () => {
    const cwd = temporaryDirectory()
    writeFileSync(join(cwd, 'shop.yaml'), OPENAPI)
    const made = await hallpass(['init', '--dir', 'new', '--from-openapi', 'shop.yaml'], { cwd })
    expect(made.code).toBe(0)
    const check = ['the path parameter "customer-id" is called customer_id here', 'left out GET /', 'risk is write']
    expect(
      check.filter(
        (words) =>
          !made.stdout.includes(words) || !text(cwd, 'new/catalog.ts').includes(words.replace('left out', 'LEFT OUT:')),
      ),
    ).toEqual([])
    const checked = await hallpass(['policy', 'check', '--json'], { cwd: join(cwd, 'new') })
    expect(JSON.parse(checked.stdout)).toMatchObject({
      actions: [
        { name: 'customer.read', audience: 'https://shop.example', risk: 'read', resource: 'customer:{customer_id}' },
        { name: 'credit.create', risk: 'write' },
      ],
      findings: [{ kind: 'action-without-rule', name: 'credit.create' }],
    })
  })

  test('permits reads and nothing else', async () => {
    const cwd = temporaryDirectory()
    writeFileSync(join(cwd, 'shop.yaml'), OPENAPI)
    await hallpass(['init', '--from-openapi', 'shop.yaml'], { cwd })
    const ask = (action: string, parameters: string) =>
      hallpass(
        [
          'policy',
          'explain',
          '--agent',
          'my-agent',
          '--action',
          action,
          '--resource',
          'customer:1',
          '--parameters',
          parameters,
        ],
        { cwd },
      )
    expect(await ask('customer.read', '{}')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('PERMIT by reads'),
    })
    expect(await ask('credit.create', '{"cents":1}')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('DENY no-rule-matched'),
    })
  })

  test('works where nothing only reads', async () => {
    const cwd = temporaryDirectory()
    writeFileSync(join(cwd, 'shop.yaml'), 'openapi: 3.0.0\npaths: { "/a/{x}": { post: {} } }')
    expect((await hallpass(['init', '--from-openapi', 'shop.yaml'], { cwd })).code).toBe(0)
    expect((await hallpass(['policy', 'check'], { cwd })).code).toBe(0)
  })

  test('says why when nothing can be drafted, and writes nothing', async () => {
    const cwd = temporaryDirectory()
    writeFileSync(join(cwd, 'shop.yaml'), 'openapi: 3.0.0\npaths: { /: { get: {} } }')
    const { code, stderr } = await hallpass(['init', '--dir', 'new', '--from-openapi', 'shop.yaml'], { cwd })
    expect(code).toBe(1)
    expect(stderr).toContain('GET /: its path names no resource')
    expect(existsSync(join(cwd, 'new'))).toBe(false)
  })

  test('runs nothing that a document says', async () => {
    const cwd = temporaryDirectory()
    const evil = "'); require('fs').writeFileSync('owned', ''); ('\n require('fs').writeFileSync('owned', '')"
    const schema = { properties: { e: { type: 'string', enum: [evil], pattern: evil }, [evil]: {} }, required: ['e'] }
    const put = {
      summary: evil,
      operationId: evil,
      requestBody: { required: true, content: { 'application/json': { schema } } },
    }
    writeFileSync(
      join(cwd, 'evil.json'),
      JSON.stringify({ openapi: '3.1.0', info: { title: evil }, paths: { '/a/{x}': { put }, [evil]: { put } } }),
    )
    expect((await hallpass(['init', '--from-openapi', 'evil.json'], { cwd })).code).toBe(0)
    expect((await hallpass(['policy', 'check'], { cwd })).code).toBe(0)
    await hallpass(['run', 'agent.ts'], { cwd })
    expect(existsSync(join(cwd, 'owned'))).toBe(false)
  })
})
