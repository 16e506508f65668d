import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { privateKeySigner } from '@hallpass/broker'
import { describeEvent } from '@hallpass/core'
import type { Chaos } from '../chaos/controller.ts'
import { startChaos } from '../chaos/controller.ts'
import type { Proxy } from '../chaos/proxy.ts'
import { startProxy } from '../chaos/proxy.ts'
import { seeded } from '../chaos/random.ts'
import type { Revoker } from '../chaos/revoker.ts'
import { createRevoker } from '../chaos/revoker.ts'
import { checkEnds } from '../check/ends.ts'
import { checkGrowth, growthOf } from '../check/memory.ts'
import { checkTrails } from '../check/trails.ts'
import type { Run } from '../check/uses.ts'
import { checkUses } from '../check/uses.ts'
import type { LedgerChoice, SoakOptions } from '../command/options.ts'
import type { SoakReport } from '../report/report.ts'
import type { Report, RoleTask } from '../role/messages.ts'
import { freePort } from '../store/free-port.ts'
import { openLedger } from '../store/open-ledger.ts'
import { hasRedis } from '../store/redis-store.ts'
import { startStore } from '../store/start-store.ts'
import { MAX_STALENESS_SECONDS, ordersApis } from '../world/orders.ts'
import { identityOf } from '../world/policy.ts'
import { readRecords, recordFile } from '../world/record-file.ts'
import type { EndRecord, GrantRecord, MadeRecord, MemorySample, UseRecord } from '../world/records.ts'
import type { Member } from './process.ts'
import { startMember } from './process.ts'
import { createReadings } from './readings.ts'

/** What a progress line tells. */
export interface Progress {
  readonly left: number
  readonly grants: number
  readonly requests: number
  readonly faults: number
  readonly revocations: number
}

const PROGRESS_MS = 2000
const LAST_WORDS_MS = 45_000
const TOLD_EVENTS = 12

/** Runs the processes, breaks them for as long as was asked, and counts. */
export async function runSoak(
  options: SoakOptions,
  program: string,
  onProgress: (progress: Progress) => void,
): Promise<SoakReport> {
  const choice: LedgerChoice = options.ledger ?? (hasRedis() ? 'redis' : 'sqlite')
  const random = seeded(options.seed)
  const folder = mkdtempSync(join(tmpdir(), 'hallpass-soak-'))
  const closing: (() => Promise<unknown>)[] = []
  const members: Member[] = []
  try {
    return await inFolder()
  } finally {
    await Promise.all(members.map((member) => member.stop(0)))
    for (const close of closing.toReversed()) await close()
    if (!options.keep) rmSync(folder, { recursive: true, force: true })
  }

  async function inFolder(): Promise<SoakReport> {
    const [records, keys] = [join(folder, 'records'), join(folder, 'keys')]
    mkdirSync(records)
    const store = await startStore(choice === 'broker' ? 'sqlite' : choice, folder, random)
    closing.push(() => store.stop())
    const own = await openLedger(store.own)
    closing.push(() => own.close())
    const readings = createReadings(own.ledger)

    const brokerPorts = await ports(choice === 'broker' ? 1 : 2)
    const proxies: Proxy[] = []
    for (const port of brokerPorts) proxies.push(await startProxy([port]))
    const front = await startProxy(brokerPorts)
    closing.push(() => Promise.all([front, ...proxies].map((proxy) => proxy.close())))
    const issuer = `http://127.0.0.1:${front.port}`
    const replicaPorts = await ports(options.replicas)
    const agents = Array.from({ length: options.agents }, (_, n) => `agent-${n + 1}`)
    const apis = { replicas: options.replicas, isEachOnItsOwn: options.feed }
    const guarded = ordersApis(options.replicas, options.feed)
    for (const name of [...guarded.map(({ id }) => id), ...agents]) identityOf(name, { issuer, keys })
    const signingKey = join(folder, 'signing.pem')
    const pem = newSigningKey()
    writeFileSync(signingKey, pem, { mode: 0o600 })

    const progress = { grants: 0, requests: 0 }
    const heard: { revoker?: Revoker } = {}
    const hear = (report: Report): void => {
      heard.revoker?.hear(report)
      if (report.kind === 'live') progress.grants += 1
      if (report.kind !== 'spent') return
      progress.requests += report.requests
      // Where replicas count, the broker's ledger has not counted.
      if (!options.feed) readings.spent(report.jti)
    }
    const start = async (task: RoleTask): Promise<Member> => {
      const member = await startMember({ program, task, hear, emptyMs: () => random.whole(200, 1000) })
      members.push(member)
      return member
    }
    const common = { issuer, keys, records }
    const trailOf = (n: number): string => join(folder, `trail-${n + 1}.jsonl`)
    const brokers = await Promise.all(
      brokerPorts.map((port, n) => {
        const place = { place: store.place, agents, apis, signingKey, trail: trailOf(n) }
        return start({ ...common, ...place, role: 'broker', name: `broker-${n + 1}`, port })
      }),
    )
    const replicas = await Promise.all(
      replicaPorts.map((port, n) =>
        start({
          ...common,
          role: 'replica',
          name: `replica-${n + 1}`,
          port,
          counts: options.feed ? 'own' : choice === 'broker' ? 'at-broker' : store.place,
          api: options.feed ? n + 1 : undefined,
          brokerPort: proxies[n % proxies.length]?.port ?? 0,
          spool: join(folder, `spool-${n + 1}`),
        }),
      ),
    )
    const ends = recordFile<EndRecord>(join(records, 'ends-run.jsonl'))
    const revoker = createRevoker(brokers, ends, random)
    heard.revoker = revoker
    const crowd = await Promise.all(
      agents.map((name, n) => {
        const load = { seed: options.seed + n + 1, replicas: replicaPorts, apis, workers: options.workers }
        return start({ ...common, ...load, role: 'agent', name })
      }),
    )

    const started = Date.now()
    const chaos = startChaos({
      random,
      store,
      brokers,
      replicas,
      proxies: [front, ...proxies],
      revoker,
      clocksOnlyFallBack: options.feed,
    })
    const ownMemory = await untilOver(started, chaos)
    await chaos.stop()
    // Every place is filled again before anybody is told to stop: what a dead one left is delivered by the next.
    for (let waited = 0; waited < LAST_WORDS_MS && !members.every(({ isUp }) => isUp); waited += 100) await delay(100)
    const unfinished: string[] = []
    const finish = async (some: readonly Member[]): Promise<void> => {
      const inTime = await Promise.all(some.map((member) => member.stop(LAST_WORDS_MS)))
      unfinished.push(...some.flatMap(({ name }, n) => (inTime[n] === true ? [] : [name])))
    }
    const survivors = members.filter(({ deaths }) => deaths === 0)
    const growths = [...survivors, { name: 'the run itself', memory: ownMemory }].flatMap(
      ({ name, memory }) => growthOf(name, memory) ?? [],
    )
    await finish(crowd)
    await finish(replicas)
    const read = await readings.all()
    await finish(brokers)

    const grants = readRecords<GrantRecord>(records, 'grants-')
    const uses = readRecords<UseRecord>(records, 'uses-')
    const endings = readRecords<EndRecord>(records, 'ends-')
    const made = readRecords<MadeRecord>(records, 'made-')
    const runs = uses.filter((use): use is Run => use.kind === 'run')
    const counted = checkUses({ uses, grants, readings: read, isKeptSure: choice !== 'broker' })
    const ended = checkEnds({ uses, grants, ends: endings, boundMs: options.feed ? MAX_STALENESS_SECONDS * 1000 : 0 })
    const jwks = { keys: [privateKeySigner(createPrivateKey(pem)).publicJwk] }
    const trails = await checkTrails({ trails: brokerPorts.map((_, n) => trailOf(n)), keys: jwks, made, runs })
    const violations = [...counted.violations, ...ended.violations, ...trails.violations, ...checkGrowth(growths)]
    for (const name of unfinished)
      violations.push({
        rule: 'everybody ends',
        detail: `${name} did not end in ${LAST_WORDS_MS / 1000} s`,
        grants: [],
      })
    return {
      ledger: choice,
      feed: options.feed,
      store: store.name,
      seed: options.seed,
      seconds: Math.round((Date.now() - started) / 1000),
      grants: new Set(grants.map(({ jti }) => jti)).size,
      requests: grants.reduce((sum, { requests }) => sum + requests, 0),
      refused: tally(grants),
      uses: counted.counts,
      ends: ended.counts,
      trails: trails.counts,
      faults: chaos.counts,
      memory: growths,
      violations: violations.map((violation) => ({
        ...violation,
        trail: violation.grants
          .slice(0, 3)
          .flatMap((jti) => trails.linesOf(jti).slice(0, TOLD_EVENTS).map(describeEvent)),
      })),
      ...(options.keep ? { folder } : {}),
    }

    async function untilOver(since: number, chaos: Chaos): Promise<readonly MemorySample[]> {
      const samples: MemorySample[] = []
      for (;;) {
        const left = options.seconds - (Date.now() - since) / 1000
        if (left <= 0) return samples
        await delay(Math.min(PROGRESS_MS, left * 1000))
        const { rss, heapUsed } = process.memoryUsage()
        samples.push({ at: Date.now(), rss, heap: heapUsed })
        const faults = Object.values(chaos.counts).reduce((sum, count) => sum + count, 0)
        const revocations = chaos.counts['grant revoked'] + chaos.counts['task revoked']
        onProgress({ left: Math.max(0, left), ...progress, faults, revocations })
      }
    }
  }
}

async function ports(count: number): Promise<number[]> {
  const found = new Set<number>()
  while (found.size < count) found.add(await freePort())
  return [...found]
}

function newSigningKey(): string {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey
}

function tally(grants: readonly GrantRecord[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const { refused } of grants) {
    for (const [why, count] of Object.entries(refused)) sums[why] = (sums[why] ?? 0) + count
  }
  return sums
}
