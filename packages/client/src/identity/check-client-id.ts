import { HallpassError } from '@hallpass/core'

/** @throws `HallpassError` with `configuration-invalid` for what cannot be a `client_id`. */
export function checkClientId(clientId: unknown): asserts clientId is string {
  if (typeof clientId === 'string' && /^[\x21-\x7E]{1,256}$/.test(clientId)) return
  throw new HallpassError(
    'configuration-invalid',
    'The clientId must be the id under which the policy registers this agent',
  )
}

/** @throws `HallpassError` with `configuration-invalid` for what is not a function. */
export function checkSource(name: string, source: unknown): void {
  if (typeof source === 'function') return
  throw new HallpassError('configuration-invalid', `${name} must be a function that resolves to a fresh token`)
}
