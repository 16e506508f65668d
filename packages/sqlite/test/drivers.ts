import { DatabaseSync } from '@photostructure/sqlite'
import type { SqliteHandle } from '@hallpass/sqlite'

export type OpenHandle = SqliteHandle & { close(): void }
type Open = (path: string) => OpenHandle

/** What there is here: `@photostructure/sqlite` always, `node:sqlite` where Node has it. */
export async function drivers(): Promise<readonly (readonly [string, Open])[]> {
  const own: readonly [string, Open] = ['@photostructure/sqlite', (path) => new DatabaseSync(path)]
  const node: string = 'node:sqlite'
  try {
    const { DatabaseSync: Native } = (await import(/* @vite-ignore */ node)) as {
      DatabaseSync: new (path: string) => OpenHandle
    }
    return [own, ['node:sqlite', (path) => new Native(path)]]
  } catch {
    return [own]
  }
}

export const openHandle: Open = (path) => new DatabaseSync(path)
