import type { Jwk } from '@hallpass/core'
import { readFile } from 'node:fs/promises'

/** Who is who on loopback. Private keys lie in files only their process reads. */
export interface DeskSetup {
  readonly directory: string
  readonly issuer: string // the workload identity provider
  readonly broker: string
  readonly orders: string
  readonly inventory: string
  readonly trail: string
  readonly publicKeys: Readonly<Record<KeyOwner, Jwk>>
}

export type KeyOwner = 'support-bot' | 'night-bot' | 'orders-api' | 'inventory-api' | 'operator'

export const readSetup = async (): Promise<DeskSetup> => {
  const file = process.argv[2]
  if (file === undefined) throw new Error('This process is started by main.ts with the path of its setup')
  return JSON.parse(await readFile(file, 'utf8')) as DeskSetup
}

export const readPrivateKey = async (setup: DeskSetup, owner: KeyOwner): Promise<Jwk> =>
  JSON.parse(await readFile(`${setup.directory}/${owner}.key.json`, 'utf8')) as Jwk

/** Tells main.ts that this process answers. */
export const ready = (): void => {
  process.send?.({ ready: true })
}
