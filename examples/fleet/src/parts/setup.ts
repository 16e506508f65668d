import { readFile } from 'node:fs/promises'
import type { Jwk } from '@hallpass/core'

/** What every process of the fleet is told. Everything is on loopback, and in one folder that is deleted at the end. */
export interface FleetSetup {
  readonly directory: string
  /** Where the balancer in front of the brokers listens. */
  readonly issuer: string
  /** Where the balancer in front of the APIs listens. */
  readonly api: string
  readonly redis: string
  readonly brokers: readonly number[]
  readonly apis: readonly number[]
  readonly agents: Readonly<Record<'day-bot' | 'night-bot', Jwk>>
}

/** The setup, and which of its kind this process is. */
export async function readSetup(): Promise<{ readonly setup: FleetSetup; readonly index: number }> {
  const [, , file = '', index = '0'] = process.argv
  return { setup: JSON.parse(await readFile(file, 'utf8')) as FleetSetup, index: Number(index) }
}

export const readKey = async ({ directory }: FleetSetup, name: string): Promise<Jwk> =>
  JSON.parse(await readFile(`${directory}/${name}.key.json`, 'utf8')) as Jwk
