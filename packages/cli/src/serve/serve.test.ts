import { appendFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { freePort, hallpass, initProject, start, temporaryDirectory } from '../../test/hallpass.ts'

const statusOf = async (url: string): Promise<number> => (await fetch(url)).status
const jsonOf = async (url: string): Promise<Record<string, unknown>> =>
  (await (await fetch(url)).json()) as Record<string, unknown>

describe('hallpass serve', { timeout: 60_000 }, () => {
  test('runs the broker, and on SIGTERM finishes the trail and gives everything back', async () => {
    const { cwd, issuer } = await initProject()
    const broker = start(['serve'], { cwd })
    await broker.until('answers at')
    expect(await statusOf(`${issuer}/healthz`)).toBe(200)
    expect(await jsonOf(`${issuer}/.well-known/oauth-authorization-server`)).toMatchObject({ issuer })
    broker.signal('SIGTERM')
    await broker.ended
    expect(broker.code()).toBe(0)
    expect(existsSync(join(cwd, 'audit.jsonl.lock'))).toBe(false)
    const { code, stdout } = await hallpass(['audit', 'verify', 'audit.jsonl', '--json'], { cwd })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, checkpoints: { signed: 1 } })
    // The checkpoint on stdout is the copy kept elsewhere.
    const { checkpoint } = JSON.parse(broker.stdout().trim().split('\n').at(-1) ?? '') as { checkpoint: string }
    expect((await hallpass(['audit', 'verify', 'audit.jsonl', '--head', checkpoint], { cwd })).code).toBe(0)
  })

  test('takes up rotated keys on SIGHUP, and publishes old and new', async () => {
    const { cwd, issuer } = await initProject()
    const broker = start(['serve'], { cwd })
    await broker.until('answers at')
    const kids = async (): Promise<unknown[]> =>
      ((await jsonOf(`${issuer}/jwks`))['keys'] as { kid: unknown }[]).map(({ kid }) => kid)
    const before = await kids()
    const { current, next } = JSON.parse((await hallpass(['keys', 'rotate', '--json'], { cwd })).stdout) as {
      current: string
      next: string
    }
    broker.signal('SIGHUP')
    await broker.until('rotated')
    const after = await kids()
    expect(after).toHaveLength(3)
    expect(after).toEqual(expect.arrayContaining([...before, current, next]))
    broker.signal('SIGHUP')
    await broker.until('unchanged')
    await hallpass(['keys', 'rotate'], { cwd })
    await hallpass(['keys', 'rotate'], { cwd })
    broker.signal('SIGHUP')
    await broker.until('has to be restarted')
    expect(await kids()).toEqual(after)
    broker.signal('SIGTERM')
    await broker.ended
    // Signed by both keys, one of them deleted since.
    expect(await hallpass(['audit', 'verify', 'audit.jsonl'], { cwd })).toMatchObject({ code: 0 })
  })

  test('refuses to run twice on one trail, and to share its port', async () => {
    const { cwd, issuer, change } = await initProject()
    const broker = start(['serve'], { cwd })
    await broker.until('answers at')
    const second = await hallpass(['serve'], { cwd })
    expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining('Only one process may write the trail') })
    change('audit.jsonl', 'other.jsonl')
    const third = await hallpass(['serve'], { cwd })
    expect(third).toMatchObject({ code: 1, stderr: expect.stringContaining('is in use') })
    expect(existsSync(join(cwd, 'other.jsonl.lock'))).toBe(false)
    expect(await statusOf(`${issuer}/healthz`)).toBe(200)
  })

  test.each([
    ['does not load', 'export default nothing', 'does not load'],
    ['has no default export', 'export const a = 1', 'has no default export'],
    ['needs a package that is not installed', "import 'left-pad'", 'npm install'],
    [
      'holds a policy without rules for its words',
      "export default { issuer: 'x', policy: {}, keys: 'none', trail: 't' }",
      '',
    ],
  ])('says what to do with a configuration that %s', async (_name, text, words) => {
    const cwd = temporaryDirectory()
    writeFileSync(join(cwd, 'x.ts'), text)
    const { code, stderr } = await hallpass(['serve', 'x.ts', '--port', '1'], { cwd })
    expect(code).toBe(1)
    expect(stderr).toContain(words)
  })

  test('says what to do without a configuration, and with a port that is none', async () => {
    const { cwd } = await initProject()
    expect(await hallpass(['serve', 'no.ts'], { cwd })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('hallpass init --dir'),
    })
    expect(await hallpass(['serve', '--port', '70000'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--port takes'),
    })
  })

  test('refuses a trail that was altered', async () => {
    const { cwd } = await initProject()
    const broker = start(['serve'], { cwd })
    await broker.until('answers at')
    broker.signal('SIGTERM')
    await broker.ended
    appendFileSync(join(cwd, 'audit.jsonl'), 'x\n')
    expect(await hallpass(['serve'], { cwd })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('hallpass audit verify'),
    })
  })
})

describe('hallpass dev', { timeout: 60_000 }, () => {
  test('runs a task of the agent that init wrote, and keeps everything in .hallpass', async () => {
    const { cwd } = await initProject()
    const broker = start(['dev'], { cwd })
    await broker.until('For development only')
    const agent = await hallpass(['run', 'agent.ts'], { cwd })
    expect(agent).toMatchObject({ code: 0, stdout: expect.stringMatching(/task tsk_\S+ is complete/) })
    const { stdout } = await hallpass(['audit', 'show', '.hallpass/audit.jsonl', '--agent', 'support-bot'], { cwd })
    expect(stdout).toMatch(/opened[^]*granted[^]*refused[^]*no rule of the policy allows it[^]*ended/)
    expect(readdirSync(join(cwd, '.hallpass')).toSorted()).toEqual(['audit.jsonl', 'audit.jsonl.lock', 'keys'])
    expect(broker.stdout()).toBe('')
  })

  test('gives local identities to who needs an identity provider', async () => {
    const { cwd, change } = await initProject()
    change('privateKeyJwt }', 'oidc }')
    change(
      'privateKeyJwt({ audience: issuer, subject, jwks: { keys: [key] } })',
      "oidc({ issuer: 'https://idp.example', audience: issuer, subject, jwks: { keys: [key] } })",
    )
    const broker = start(['dev'], { cwd })
    await broker.until('For development only')
    expect(broker.stderr()).toMatch(/agent\s+support-bot\n\s+api\s+orders-api\n\s+operator\s+operator/)
    expect(readdirSync(join(cwd, '.hallpass/identities')).toSorted()).toEqual([
      'operator.key.pem',
      'orders-api.key.pem',
      'support-bot.key.pem',
    ])
    await hallpass(['keys', 'generate', '--workload', 'decoy'], { cwd })
    const revoked = await hallpass(['revoke', '--everything', '--reason', 'drill', '--as', 'operator', '--json'], {
      cwd,
    })
    expect(revoked.code).toBe(1) // keys/operator.jwk.json is there and goes first, and this broker does not know it
  })

  test('refuses to exist in production', async () => {
    const { cwd } = await initProject()
    const ran = await hallpass(['dev'], { cwd, env: { NODE_ENV: 'production' } })
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('hallpass serve') })
    expect(existsSync(join(cwd, '.hallpass'))).toBe(false)
  })

  test('moves to loopback with an issuer that is elsewhere', async () => {
    const { cwd, issuer, change } = await initProject()
    change(issuer, 'https://broker.example')
    const port = await freePort()
    const broker = start(['dev', '--port', String(port)], { cwd })
    await broker.until('For development only')
    expect(await jsonOf(`http://127.0.0.1:${port}/.well-known/oauth-authorization-server`)).toMatchObject({
      issuer: `http://127.0.0.1:${port}`,
    })
  })
})
