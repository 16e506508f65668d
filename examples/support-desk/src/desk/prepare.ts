import { mkdtemp, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Jwk } from '@hallpass/core'
import { newJwks } from './new-key.ts'
import type { DeskSetup, KeyOwner } from './setup.ts'

const owners: readonly KeyOwner[] = ['support-bot', 'night-bot', 'orders-api', 'inventory-api', 'operator']

const freePorts = async (count: number): Promise<readonly number[]> => {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer()
          server.listen(0, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Makes keys, ports and a folder of its own for this run. */
export const prepareDesk = async (): Promise<{ readonly setup: DeskSetup; readonly file: string }> => {
  const directory = await mkdtemp(join(tmpdir(), 'hallpass-support-desk-'))
  const publicKeys: Partial<Record<KeyOwner, Jwk>> = {}
  for (const owner of owners) {
    const { privateJwk, publicJwk } = newJwks()
    const named = { kid: `${owner}-1`, alg: 'ES256', use: 'sig' }
    publicKeys[owner] = { ...publicJwk, ...named } as Jwk
    const secret = JSON.stringify({ ...privateJwk, ...named })
    await writeFile(join(directory, `${owner}.key.json`), secret, { mode: 0o600 })
  }
  const [issuer, broker, orders, inventory] = (await freePorts(4)).map((port) => `http://127.0.0.1:${port}`)
  const setup = {
    directory,
    issuer,
    broker,
    orders,
    inventory,
    trail: join(directory, 'trail.jsonl'),
    publicKeys,
  } as DeskSetup
  const file = join(directory, 'setup.json')
  await writeFile(file, JSON.stringify(setup))
  return { setup, file }
}
