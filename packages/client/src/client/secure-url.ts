const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** May a credential travel to this URL: https, or http that does not leave the machine; no user, no query, no fragment. */
export function secureUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  const safe = url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname))
  const plain = url.username === '' && url.password === '' && !/[?#]/.test(text)
  return safe && plain ? url : undefined
}
