export { openTelemetry } from './opentelemetry/open-telemetry.ts'
export type { OpenTelemetryOptions } from './opentelemetry/open-telemetry.ts'
