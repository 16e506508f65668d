import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { closeAll, extAuthzRig, onClose, serve } from '../../test/ext-authz-rig.ts'
import { sendRaw } from '../../test/raw-request.ts'
import { FORWARDED_FIELDS } from './forwarded-fields.ts'

afterEach(closeAll)

const found = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/opt/homebrew/bin/nginx'].find(existsSync)
const nginx = found ?? (spawnSync('nginx', ['-v']).error === undefined ? 'nginx' : undefined)
// A build machine that has no nginx has tested nothing here, and must say so.
const isMissed = nginx === undefined && process.env['CI'] === undefined
if (isMissed) process.stderr.write('nginx is not installed: the tests of auth_request are skipped\n')

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return port
}

const page = readFileSync(new URL('../../../../docs/ext-authz.md', import.meta.url), 'utf8')
const documented = /```nginx\n(.*?)```/s.exec(page)?.[1] ?? ''

/** The configuration that docs/ext-authz.md shows, between a free port, the door and an upstream. */
const configuration = (port: number, door: number, upstream: number) => `
daemon off; worker_processes 1; error_log stderr crit; pid nginx.pid;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  ${documented
    .replace('server {', `server { listen 127.0.0.1:${port};`)
    .replace('127.0.0.1:9191', `127.0.0.1:${door}`)
    .replace('http://orders;', `http://127.0.0.1:${upstream};`)}
}`

async function startNginx() {
  const rig = await extAuthzRig({ nginx: { path: '/nginx' } })
  const seen: { url: string | undefined; names: unknown[]; token: unknown; body: string }[] = []
  const upstream = await serve((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => {
      const { authorization: token } = request.headers
      seen.push({ url: request.url, names: FORWARDED_FIELDS.map((name) => request.headers[name]), token, body })
      response.end('from upstream')
    })
  })
  const port = await freePort()
  const home = mkdtempSync(join(tmpdir(), 'hallpass-nginx-'))
  writeFileSync(join(home, 'nginx.conf'), configuration(port, rig.port, upstream))
  const child = spawn(nginx ?? 'nginx', ['-p', home, '-c', join(home, 'nginx.conf')], { stdio: 'ignore' })
  onClose(async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve))
    rmSync(home, { recursive: true, force: true })
  })
  for (let tries = 0; tries < 100; tries += 1) {
    const up = await sendRaw(port, { target: '/ready' }).catch(() => undefined)
    if (up !== undefined) return { ...rig, port, seen }
    await wait(50)
  }
  throw new Error('nginx did not come up')
}

describe.skipIf(isMissed)('extAuthz() behind a real nginx', () => {
  test('lets a covered call through once, with the grant named over whatever the client sent, and without its credentials', async () => {
    const { port, seen, credentials } = await startNginx()
    const claimed = FORWARDED_FIELDS.flatMap((name) => [name, 'root'])
    const headers = [...(await credentials({ target: '/orders/123' })), ...claimed]
    expect(await sendRaw(port, { target: '/orders/123', headers })).toMatchObject({
      status: 200,
      text: 'from upstream',
    })
    expect((await sendRaw(port, { target: '/orders/123', headers })).status).toBe(401)
    const names = [
      expect.stringMatching(/^gr_/),
      'tsk_1',
      'support-bot',
      'team:support',
      'support-bot',
      'order.read',
      'order:123',
      expect.stringMatching(/^ev_/),
    ]
    expect(seen).toEqual([{ url: '/orders/123', names, token: undefined, body: '' }])
  })

  test.each([
    ['another order', '/orders/124', 401],
    ['another path', '/admin', 403],
    ['a doubled slash', '//orders/123', 403],
    ['an encoded slash', '/orders%2f123', 403],
    ['a dot segment', '/x/../orders/123', 403],
  ])('keeps out %s', async (_name, target, status) => {
    const { port, seen, credentials } = await startNginx()
    const headers = await credentials({ target: '/orders/123' })
    expect((await sendRaw(port, { target, headers })).status).toBe(status)
    expect(seen).toEqual([])
  })

  test('keeps out a request without credentials', async () => {
    const { port, seen } = await startNginx()
    expect((await sendRaw(port, { target: '/orders/123' })).status).toBe(401)
    expect(seen).toEqual([])
  })

  test('hands no body on, whatever came with a covered GET', async () => {
    const { port, seen, credentials } = await startNginx()
    const headers = await credentials({ target: '/orders/123' })
    await sendRaw(port, { target: '/orders/123', headers, body: '{"amount":"99.00"}' })
    expect(seen.map(({ body }) => body).filter((body) => body !== '')).toEqual([])
  })
})
