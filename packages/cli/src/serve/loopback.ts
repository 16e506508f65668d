const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Whether nobody on the way can read or change what is sent there: https, or this machine. */
export const isSecure = (url: string): boolean =>
  URL.canParse(url) && (new URL(url).protocol === 'https:' || isLoopback(url))

/** Whether a URL is of this machine. */
export const isLoopback = (url: string): boolean => URL.canParse(url) && LOOPBACK.has(new URL(url).hostname)
