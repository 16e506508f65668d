import type { ShardSettings } from './shard.ts'
import { Shard } from './shard.ts'

/** Every slot of a ledger. A task is in the slot of its id, with all that is in it; an agent's counters in the slot of the agent. */
export class Shards {
  readonly all: readonly Shard[]
  readonly settings: ShardSettings
  readonly #first: Shard

  constructor(settings: ShardSettings) {
    this.settings = settings
    this.#first = new Shard(0, settings)
    this.all = [
      this.#first,
      ...Array.from({ length: settings.shards - 1 }, (_, index) => new Shard(index + 1, settings)),
    ]
  }

  /** Where what concerns no task is kept. */
  get first(): Shard {
    return this.#first
  }

  /** The slot of a task, an agent, or anything else with a name. */
  of(name: string): Shard {
    return this.all.length === 1 ? this.#first : (this.all[hash(name) % this.all.length] ?? this.#first)
  }

  at(index: number): Shard | undefined {
    return this.all[index]
  }

  /** Which life of the store this is, as far as this process has seen: every restart of a server that lost data changes it. */
  get incarnation(): string {
    const lives = this.all.reduce((sum, { era }) => sum + era, 0)
    return `redis_${this.#first.store}_${this.settings.epoch}_${lives}`
  }

  async refresh(): Promise<void> {
    await Promise.all(this.all.map((shard) => shard.refresh()))
  }
}

/** FNV-1a over UTF-16 code units. Part of the stored format: another function would look for tasks where they are not. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  }
  return value >>> 0
}
