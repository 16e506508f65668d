import { resolve } from 'node:path'
import { createBroker } from '@hallpass/broker'
import type { Broker, SigningKeys } from '@hallpass/broker'
import type { AuditSink } from '@hallpass/core'
import { fileTrail } from '@hallpass/core/file-trail'
import { Failure } from '../command/failure.ts'
import type { HallpassConfig, TrailConfig } from '../config/define-config.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import { readKeyRing } from '../keys/key-ring.ts'
import { signerOf, signingKeysOf } from '../keys/ring-signers.ts'
import { openLedger } from './open-ledger.ts'

export interface OpenBroker {
  readonly broker: Broker
  /** Where the trail is, when it is a file. */
  readonly trailFile?: string
  /** What kind of ledger it is, and where, without credentials. */
  readonly ledgerPlace: string
  /** Takes up what `hallpass keys rotate` did; answers the kid that signs now, or undefined when nothing changed. */
  reloadKeys(): string | undefined
  /** Ends the broker, writes what is still to be written, closes the trail, then the ledger. */
  close(): Promise<void>
}

interface OpenOptions {
  /** Gets every signed checkpoint, to be kept elsewhere. */
  readonly publish: (jws: string) => void
}

const trailConfig = (trail: string | TrailConfig): TrailConfig => (typeof trail === 'string' ? { path: trail } : trail)

/** Signs with whatever key signs at that moment, so that checkpoints follow a rotation. */
const currentSigner = (keys: SigningKeys) => ({
  get kid() {
    return keys.current().kid
  },
  alg: 'ES256' as const,
  sign: (data: Uint8Array) => keys.current().sign(data),
})

function openTrail({ config, directory }: LoadedConfig, keys: SigningKeys, { publish }: OpenOptions) {
  const { trail, issuer } = config
  if (typeof trail === 'function') return trail()
  const { path, durable = 'grouped', everyEvents = 1000, everySeconds = 60, maxBufferedEvents } = trailConfig(trail)
  return fileTrail({
    path: resolve(directory, path),
    durable,
    ...(maxBufferedEvents !== undefined && { maxBufferedEvents }),
    source: `broker:${issuer}`,
    checkpoint: { signer: currentSigner(keys), everyEvents, everySeconds, publish },
  })
}

function brokerOptions(config: HallpassConfig) {
  const { keys: _keys, trail: _trail, ledger: _ledger, listen: _listen, ...options } = config
  return options
}

/** Opens everything a configuration names, the trail last: it takes the lock. */
export async function openBroker(loaded: LoadedConfig, options: OpenOptions): Promise<OpenBroker> {
  const { config, directory } = loaded
  const keyDirectory = typeof config.keys === 'string' ? resolve(directory, config.keys) : undefined
  const keys =
    typeof config.keys === 'string'
      ? signingKeysOf(resolve(directory, config.keys), Date.now() / 1000)
      : await config.keys()
  const store = await openLedger(loaded)
  let audit: AuditSink | undefined
  let broker: Broker
  try {
    audit = await openTrail(loaded, keys, options)
    broker = createBroker({ ...brokerOptions(config), ledger: store.ledger, keys, audit })
  } catch (error) {
    await audit?.close()
    await store.close()
    throw error
  }
  const trail = audit
  return {
    broker,
    ledgerPlace: store.place,
    ...(typeof config.trail !== 'function' && { trailFile: resolve(directory, trailConfig(config.trail).path) }),
    reloadKeys() {
      if (keyDirectory === undefined) return undefined
      const ring = readKeyRing(keyDirectory)
      const [signs, next] = keys.jwks(Date.now() / 1000).keys
      if (ring.current.kid === signs?.kid) return undefined
      if (ring.current.kid !== next?.kid) {
        throw new Failure('The keys were rotated more than once since this broker read them, so it has to be restarted')
      }
      return broker.rotateKeys(signerOf(keyDirectory, ring.next)).kid
    },
    async close() {
      await broker.close()
      await trail.close()
      await store.close()
    },
  }
}
