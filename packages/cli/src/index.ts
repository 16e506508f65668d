export { defineConfig } from './config/define-config.ts'
export type { HallpassConfig, TrailConfig } from './config/define-config.ts'
