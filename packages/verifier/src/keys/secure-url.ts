import { HallpassError } from '@hallpass/core'

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Parses a URL that credentials or keys travel over: https, or http on loopback.
 * @throws HallpassError `configuration-invalid` for anything else, user information and fragments included.
 */
export function requireSecureUrl(text: string, name: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !isSecure(url) || url.username !== '' || url.password !== '' || url.hash !== '') {
    throw new HallpassError(
      'configuration-invalid',
      `${name} must be an https URL, or http on loopback, without user or fragment`,
    )
  }
  return url
}

const isSecure = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname))
