import type { AuditSink, Ledger } from '@hallpass/core'
import type { BrokerOptions, SigningKeys } from '@hallpass/broker'

/** The file a broker writes its trail to, with what `fileTrail` takes. */
export interface TrailConfig {
  /** Relative to the configuration file. */
  readonly path: string
  readonly durable?: 'grouped' | 'each'
  /** Signed checkpoints after so many events or seconds; default 1000 and 60. */
  readonly everyEvents?: number
  readonly everySeconds?: number
}

/**
 * What `hallpass serve` and `hallpass dev` run. Nothing in it opens a file or a connection by being loaded, so that
 * `hallpass policy check` can read it anywhere.
 */
export interface HallpassConfig extends Omit<BrokerOptions, 'keys' | 'audit' | 'ledger' | 'clock' | 'fetch'> {
  /** Directory made by `hallpass keys generate`, relative to the configuration file; or what gives the keys. */
  readonly keys: string | (() => SigningKeys | Promise<SigningKeys>)
  /** Path of the trail's file, relative to the configuration file; or what opens one. */
  readonly trail: string | TrailConfig | (() => AuditSink | Promise<AuditSink>)
  /** Opens the ledger; default: memory, for one process. */
  readonly ledger?: () => Ledger | Promise<Ledger>
  /** Where to listen; default: loopback, at the issuer's port. */
  readonly listen?: { readonly host?: string; readonly port?: number }
}

/** Types a configuration file; its default export is what this returns. */
export const defineConfig = (config: HallpassConfig): HallpassConfig => config
