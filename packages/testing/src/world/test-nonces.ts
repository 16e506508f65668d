import type { NonceSource } from '@hallpass/verifier'

/** Nonces that change every 30 seconds of the test's clock; the one before is still taken. */
export function testNonces(name = 'nonce'): NonceSource {
  const at = (now: number) => `${name}-${Math.floor(now / 30)}`
  return {
    current: at,
    accepts: (nonce, now) => nonce === at(now) || nonce === at(now - 30),
  }
}
