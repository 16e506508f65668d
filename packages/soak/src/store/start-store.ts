import type { Random } from '../chaos/random.ts'
import { startPostgresStore } from './postgres-store.ts'
import { startRedisStore } from './redis-store.ts'
import { openSqliteStore } from './sqlite-store.ts'
import type { Store, StoreKind } from './store.ts'

export async function startStore(kind: StoreKind, folder: string, random: Random): Promise<Store> {
  if (kind === 'redis') return startRedisStore(folder, random)
  return kind === 'postgres' ? startPostgresStore(random) : openSqliteStore(folder)
}
