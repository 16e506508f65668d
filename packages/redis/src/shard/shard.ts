import { HallpassError } from '@hallpass/core'
import type { RedisConnection } from '../client/redis-connection.ts'
import { adopt } from '../lua/adopt.ts'
import { Deadlines } from './deadlines.ts'
import { Grouped } from './grouped.ts'
import type { Life } from './life.ts'
import { scriptsFor } from './life.ts'
import type { Times } from './program.ts'
import type { ProgramName } from './programs.ts'
import { programs } from './programs.ts'
import { troubleOf, unavailable } from './trouble.ts'

export interface ShardSettings {
  readonly connection: RedisConnection
  readonly prefix: string
  readonly shards: number
  readonly epoch: number
  readonly times: Times
  readonly timeoutMs: number
}

/** Between two tries of a call that was cut off. */
const PAUSES_MS = [10, 20, 50, 100, 200]
/** A server that is reborn over and over serves nobody. */
const MAX_ROUNDS = 4

/**
 * One slot of the ledger, wherever it is served. Sends every call as one script; sends it again when the connection was
 * cut, which each script takes for the same call; and follows the shard into the next life of its server.
 */
export class Shard {
  readonly index: number
  readonly meta: string
  readonly redeems: Grouped
  readonly #tag: string
  readonly #settings: ShardSettings
  readonly #deadlines: Deadlines
  #life: Life | undefined = undefined
  #adopting: Promise<Life> | undefined = undefined

  constructor(index: number, settings: ShardSettings) {
    this.index = index
    this.#tag = `{${settings.prefix}:${index}}:`
    this.meta = `${this.#tag}meta`
    this.#settings = settings
    this.#deadlines = new Deadlines(settings.timeoutMs)
    this.redeems = new Grouped((asks) => this.run('redeem', [this.meta], asks))
  }

  get era(): number {
    return Number(this.#life?.era ?? 0)
  }

  get store(): string {
    return this.#life?.store ?? ''
  }

  key(name: string): string {
    return this.#tag + name
  }

  /**
   * Runs one script; `KEYS[1]` is always the shard's `meta`. Answers `N ledger-full` where a script that issues or uses
   * found no memory. Throws HallpassError `ledger-unavailable` when the server cannot be asked or does not answer in time.
   */
  run(name: ProgramName, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.#deadlines.guard(this.#run(name, keys, args))
  }

  /** Reads the life of the server again, and whether it still keeps what it is given. */
  async refresh(): Promise<void> {
    try {
      await this.#deadlines.guard(this.#adopt())
    } catch (error) {
      throw error instanceof HallpassError ? error : unavailable('does not serve the ledger', error)
    }
  }

  async #run(name: ProgramName, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const { connection, timeoutMs } = this.#settings
    const giveUp = performance.now() + timeoutMs
    let [rounds, tries, isNew] = [0, 0, false]
    while (rounds < MAX_ROUNDS) {
      try {
        // A server that does not know a script forgot it, or is another one: its life is read before it learns anything.
        const life = isNew ? await this.#adopt() : (this.#life ?? (await this.#adopt()))
        const { sha, text } = life.scripts[name]
        const answer = await (isNew ? connection.eval(text, keys, args) : connection.evalsha(sha, keys, args))
        if (answer !== 'REBORN') return answer
        rounds += 1
        isNew = true
      } catch (error) {
        if (error instanceof HallpassError) throw error
        const trouble = troubleOf(error)
        if (trouble === 'full' && programs[name].whenFull === 'refuses') return 'N ledger-full'
        if (trouble === 'unloaded') {
          rounds += 1
          isNew = true
        } else if (trouble === 'cut' && performance.now() < giveUp) {
          await pause(PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)] ?? 0)
          tries += 1
        } else throw unavailable('does not serve the ledger', error)
      }
    }
    throw unavailable('started again and again')
  }

  #adopt(): Promise<Life> {
    this.#adopting ??= this.#readLife().finally(() => (this.#adopting = undefined))
    return this.#adopting
  }

  async #readLife(): Promise<Life> {
    const { connection, epoch, shards, times, prefix } = this.#settings
    const ask = { epoch: String(epoch), shards: String(shards), store: crypto.randomUUID() }
    const answer = await connection.eval(adopt, [this.meta], [JSON.stringify(ask)])
    const [state, id = '', era = '', store = '', evicts = ''] = Array.isArray(answer) ? answer.map(String) : []
    if (state === 'shards') throw misconfigured(`shards is ${shards}, and this store was begun with ${id}`)
    if (state === 'epoch') throw misconfigured(`epoch is ${epoch}, and this store was raised to ${id}`)
    if (state !== 'adopted') throw unavailable('answered what no script of the ledger answers')
    if (evicts !== 'noeviction') {
      // Nothing is asked of it any more until it was set right: every call reads this first.
      this.#life = undefined
      throw misconfigured(
        `maxmemory-policy is ${evicts}: the server would forget uses and revocations to make room. Set it to noeviction`,
      )
    }
    if (this.#life?.id !== id || this.#life.era !== era) {
      this.#life = { id, era, store, scripts: await scriptsFor(id, { times, channel: `${prefix}:wake` }) }
    }
    return this.#life
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const misconfigured = (problem: string) => new HallpassError('configuration-invalid', `redisLedger: ${problem}`)
