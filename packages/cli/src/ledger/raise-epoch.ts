import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { printable } from '@hallpass/core'
import { raisePostgresEpoch } from '@hallpass/postgres'
import { raiseSqliteEpoch } from '@hallpass/sqlite'
import type { Command } from '../command/command.ts'
import { Failure } from '../command/failure.ts'
import type { LedgerConfig } from '../config/define-config.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import { loadConfig } from '../config/load-config.ts'
import { withPostgres } from '../serve/ledger-postgres.ts'
import { withSqliteFile } from '../serve/ledger-sqlite.ts'
import { configuredLedger, withoutCredentials } from '../serve/open-ledger.ts'

/** What a command on the ledger works on; throws a `Failure` where an epoch is not raised by a command. */
function raisable({ config }: LoadedConfig): Exclude<LedgerConfig, { readonly redis: unknown }> {
  const { ledger } = config
  if (typeof ledger === 'function')
    throw new Failure('The configuration builds its ledger itself: raise its epoch where it is built')
  const where = configuredLedger(ledger)
  if (where === 'memory') throw new Failure('A ledger in memory has no epoch to raise: a restart begins a new life')
  if ('redis' in where) {
    const next = (where.epoch ?? 0) + 1
    throw new Failure(
      `Redis takes its epoch from whoever opens it: write ledger: { redis, epoch: ${next} } at every broker and API, ` +
        'then start them. One with a lower epoch is refused from then on',
    )
  }
  return where
}

export const ledgerRaiseEpoch: Command = {
  name: 'ledger raise-epoch',
  summary: 'After a restore or a failover that lost something: refuse every task and grant of the ledger from before',
  positionals: '[CONFIG.ts]',
  takes: [0, 1],
  options: { yes: { type: 'boolean', help: 'Do it; without it nothing is done, and it is said what would be' } },
  notes:
    'Stop every broker and API first, and start them again afterwards: agents open new tasks. There is no way back. For SQLite and\n' +
    'Postgres; Redis takes its epoch from the configuration.',
  async run(args, output) {
    const loaded = await loadConfig(args.positionals[0])
    const where = raisable(loaded)
    const path = 'sqlite' in where ? resolve(loaded.directory, where.sqlite) : undefined
    if (path !== undefined && !existsSync(path)) throw new Failure(`There is no ledger at ${path}: restore it first`)
    const place = printable('sqlite' in where ? `SQLite ${where.sqlite}` : withoutCredentials(where.postgres))
    if (!args.flag('yes')) {
      output.say(`Would refuse every task and grant in ${place} from before. Nothing was done; do it with --yes`)
      output.result({ ok: true, done: false, ledger: place })
      return 0
    }
    if ('sqlite' in where) await withSqliteFile(loaded.file, path ?? '', (database) => raiseSqliteEpoch(database))
    else await withPostgres(loaded.file, where, (options) => raisePostgresEpoch(options))
    output.say(`Every task and grant in ${place} from before is refused now`)
    output.result({ ok: true, done: true, ledger: place })
    return 0
  },
}
