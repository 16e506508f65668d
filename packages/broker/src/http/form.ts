import { refuse, ok, type Result } from '@hallpass/core'

export type Form = ReadonlyMap<string, string>

const MAX_PARAMETERS = 32

/**
 * Reads an `application/x-www-form-urlencoded` body strictly (RFC 6749 section 3.2).
 * A parameter that occurs twice, a pair without `=`, broken percent-encoding or broken UTF-8 is refused;
 * a parameter with an empty value counts as absent.
 */
export function parseForm(text: string): Result<Form, 'request-invalid'> {
  const form = new Map<string, string>()
  const seen = new Set<string>()
  if (text === '') return ok(form)
  const pairs = text.split('&', MAX_PARAMETERS + 1)
  if (pairs.length > MAX_PARAMETERS) return refuse('request-invalid', 'too many form parameters')
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const name = equals < 0 ? undefined : decode(pair.slice(0, equals))
    const value = equals < 0 ? undefined : decode(pair.slice(equals + 1))
    if (name === undefined || value === undefined) return refuse('request-invalid', 'the form is not well encoded')
    if (seen.has(name)) return refuse('request-invalid', 'a form parameter occurs more than once')
    seen.add(name)
    if (value !== '') form.set(name, value)
  }
  return ok(form)
}

function decode(text: string): string | undefined {
  if (!/[%+]/.test(text)) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
