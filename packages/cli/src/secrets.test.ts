import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hallpass, hallpassHere, initProject, start } from '../test/hallpass.ts'
import type { Ran } from '../test/hallpass.ts'

/** A token as somebody might paste it: whatever it says, it is worth something to a reader. */
const TOKEN = `eyJ0eXAiOiJhdCtqd3QifQ.${'CANARYTOKEN'.repeat(8)}.${'CANARYSIGNATURE'.repeat(6)}`
const PLANTED = ['CANARY', 'private-words', '43.17']

const privateParts = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap((file) => readFileSync(join(file.parentPath, file.name), 'utf8').match(/(?<="d": ?")[\w-]{20,}/g) ?? [])

const said = ({ stdout, stderr }: Pick<Ran, 'stdout' | 'stderr'>): string => `${stdout}\n${stderr}`

/** An agent whose calls carry parameters that nobody else has to know, and that shows everything it holds. */
const agentOf = (source: string): string =>
  source.replace(
    /async \(task\) => \{[^]*?\n\}\)/,
    `async (task) => {
      for (const [action, parameters] of [
        ['refund.create', { amount: '43.17' }],
        ['refund.create', { amount: '4343.17' }],
        ['refund.create', { amount: '43.17', reason: 'private-words' }],
        ['order.read', {}],
        ['no.such', { amount: '43.17' }],
      ])
        console.log(await task.grant(action, { resource: 'order:1', parameters }).catch((error) => error.message))
      console.log(await task.call('refund.create', { resource: 'order:1', parameters: { amount: '43.17' } }))
      console.log(hallpass, task, JSON.stringify(task))
      return task.txn
    })`,
  )

/** Requests by nobody with a canary in every place a request has. */
async function knock(issuer: string): Promise<string> {
  const headers = { authorization: `DPoP ${TOKEN}`, dpop: TOKEN, cookie: `session=${TOKEN}`, traceparent: TOKEN }
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: 'support-bot',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: TOKEN,
    subject_token: TOKEN,
    resource: issuer,
    authorization_details: JSON.stringify([{ type: 'urn:hallpass:task', purpose: 'private-words', note: TOKEN }]),
  })
  const paths = ['token', 'revoke', 'introspect', 'redeem', 'audit', 'signals', 'revocations', 'events', TOKEN]
  const answers = await Promise.all(
    paths.flatMap((path) => [
      fetch(`${issuer}/${path}?access_token=${TOKEN}`, { method: 'POST', headers, body: form }),
      fetch(`${issuer}/${path}`, { method: 'POST', headers, body: `{"token":"${TOKEN}"` }),
      fetch(`${issuer}/${path}?token=${TOKEN}`, { headers }),
    ]),
  )
  const texts = answers.map(async (answer) => `${JSON.stringify([...answer.headers])}\n${await answer.text()}`)
  return (await Promise.all(texts)).join('\n')
}

describe('the command line keeps secrets', { timeout: 120_000 }, () => {
  test('nothing said by the broker, an agent, an answer or a trail carries a key, a token or a parameter', async () => {
    const { cwd, issuer } = await initProject()
    writeFileSync(join(cwd, 'secret.ts'), agentOf(readFileSync(join(cwd, 'agent.ts'), 'utf8')))
    const broker = start(['serve'], { cwd })
    await broker.until('answers at')
    const heard = [said(await hallpass(['run', 'secret.ts'], { cwd })), await knock(issuer)]
    expect(heard[0]).toMatch(/ok: true[^]*ok: false/)
    const reason = ['--reason', 'drill']
    const typed = [
      ['revoke', '--grant', TOKEN, ...reason],
      ['revoke', '--task', TOKEN, ...reason],
      ['revoke', '--agent', 'support-bot', ...reason],
      ['resume', '--agent', 'support-bot', ...reason],
      ['keys', 'list'],
      ['keys', 'rotate'],
      ['policy', 'check'],
      ['audit', 'show', 'audit.jsonl'],
      ['audit', 'verify', 'audit.jsonl'],
      ['audit', 'export', 'audit.jsonl', '--format', 'ocsf'],
      ['audit', 'export', 'audit.jsonl', '--format', 'otel'],
    ]
    for (const words of typed) {
      const [plain, json] = [await hallpassHere(words, { cwd }), await hallpassHere([...words, '--json'], { cwd })]
      heard.push(said(plain), said(json))
    }
    broker.signal('SIGTERM')
    await broker.ended
    heard.push(
      said({ stdout: broker.stdout(), stderr: broker.stderr() }),
      readFileSync(join(cwd, 'audit.jsonl'), 'utf8'),
    )
    const secrets = privateParts(join(cwd, 'keys'))
    expect(secrets.length).toBeGreaterThan(2)
    const leaked = heard.flatMap((text, at) =>
      [...PLANTED, ...secrets].filter((secret) => text.includes(secret)).map((secret) => ({ at, secret })),
    )
    expect(leaked).toEqual([])
  })
})
