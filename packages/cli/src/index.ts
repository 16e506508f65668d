export { defineConfig } from './config/define-config.ts'
export type { HallpassConfig, LedgerConfig, LedgerPlace, ListenConfig, TrailConfig } from './config/define-config.ts'
