import type { ChildProcess } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { renderTimeline, verifyTrail, type JwkSet, type TrailLine } from '@hallpass/core'
import { readTrail } from '@hallpass/core/file-trail'
import { attackEndings } from './attacks/endings.ts'
import { attackLimits } from './attacks/limits.ts'
import { attackScope } from './attacks/scope.ts'
import { attackTokens } from './attacks/tokens.ts'
import { makeAssertion, newKey, Workload } from './attacks/workload.ts'
import { prepareDesk } from './desk/prepare.ts'
import { startProcess, stopProcess } from './desk/processes.ts'
import { readPrivateKey } from './desk/setup.ts'
import { stepsTo } from './desk/steps.ts'
import { workloadToken } from './desk/workload-token.ts'
import { refuseOwnerless, resolveTicket } from './story.ts'

const json = process.argv.includes('--json')
const say = (line = ''): void => {
  if (!json) console.log(line)
}
const began = performance.now()
const { setup, file } = await prepareDesk()
const running: ChildProcess[] = []
const { steps, check } = stepsTo(say)

try {
  say('Hallpass: a support agent that holds no standing privilege\n')
  running.push(await startProcess('issuer', file))
  running.push(await startProcess('broker', file))
  running.push(...(await Promise.all([startProcess('orders-api', file), startProcess('inventory-api', file)])))
  say('Running, each a process of its own: identity provider, broker, orders API (Express), inventory API (Fastify)\n')

  say('The agent resolves ticket #9917')
  const { txn, agent } = await resolveTicket(check, file)
  running.push(agent)

  const botKey = await readPrivateKey(setup, 'support-bot')
  const nightKey = await readPrivateKey(setup, 'night-bot')
  const bot = new Workload(setup, {
    clientId: 'support-bot',
    assertion: () => workloadToken(setup, botKey),
    key: await newKey(),
  })
  const night = new Workload(setup, {
    clientId: 'night-bot',
    assertion: () => makeAssertion('night-bot', nightKey, setup.broker),
    key: await newKey(),
  })
  say('\nIts grants are bent')
  await attackScope(check, bot)
  say('\nIts credentials are stolen, forged and replayed')
  await attackTokens(check, bot)
  await refuseOwnerless(check, setup)
  say('\nIts limits are raced')
  await attackLimits(check, bot)
  say('\nThe end is the end')
  await attackEndings(check, { bot, night, operator: await readPrivateKey(setup, 'operator') })

  const jwks = (await (await fetch(`${setup.broker}/jwks`)).json()) as JwkSet
  for (const child of running.toReversed()) await stopProcess(child)

  say('\nOne trail tells it all')
  const lines: string[] = []
  for await (const line of readTrail(setup.trail)) lines.push(line)
  const verdictOf = async (trail: readonly string[]): Promise<string> => {
    const verdict = await verifyTrail(trail, { keys: jwks })
    return verdict.ok ? 'whole' : verdict.problem
  }
  await check('trail-is-whole', 'whole', () => verdictOf(lines))
  await check('altered-line-is-found', 'altered', () => {
    const at = lines.findIndex((line) => line.includes('"type":"grant.issued"'))
    return verdictOf(lines.with(at, lines[at]?.replace('"grant.issued"', '"grant.refused"') ?? ''))
  })
  await check('missing-line-is-found', 'missing', () => verdictOf(lines.toSpliced(9, 1)))
  await check('swapped-lines-are-found', 'missing', () =>
    verdictOf([...lines.slice(0, 4), ...lines.slice(4, 6).toReversed()]),
  )
  await check('no-token-in-the-trail', 'none', async () =>
    /eyJ[\w-]+\.eyJ/.test(lines.filter((line) => !line.includes('"type":"trail.checkpoint"')).join())
      ? 'a token'
      : 'none',
  )
  say(`\nThe agent's task, as the trail tells it (${lines.length} events in all)\n`)
  const told = lines.map((line) => JSON.parse(line) as TrailLine).filter((line) => line.txn === txn)
  say(renderTimeline(told, { color: process.stdout.isTTY }))
} finally {
  for (const child of running) await stopProcess(child)
  await rm(setup.directory, { recursive: true, force: true })
}

const held = steps.filter((step) => step.ok).length
const ok = held === steps.length && steps.length > 0
if (json) console.log(JSON.stringify({ ok, steps }))
say(`\n${held} of ${steps.length} expectations held, in ${((performance.now() - began) / 1000).toFixed(1)} s`)
process.exitCode = ok ? 0 : 1
