/** What is against a public key for one algorithm, written down without the code under test. */
export function keyIssues(jwk: unknown, alg: unknown): readonly string[] {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return ['no key']
  const key = jwk as Readonly<Record<string, unknown>>
  const issues: string[] = []
  if (['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].some((name) => Object.hasOwn(key, name))) issues.push('private')
  if (Object.hasOwn(key, 'use') && key['use'] !== 'sig' && key['use'] !== 'jwt-svid') issues.push('use')
  if (Object.hasOwn(key, 'alg') && key['alg'] !== alg) issues.push('alg')
  const operations = key['key_ops']
  if (
    Object.hasOwn(key, 'key_ops') &&
    !(Array.isArray(operations) && operations.length === 1 && operations[0] === 'verify')
  )
    issues.push('key_ops')
  if (typeof key['kty'] !== 'string' || (Object.hasOwn(key, 'crv') && typeof key['crv'] !== 'string'))
    issues.push('shape')
  if (Object.hasOwn(key, 'ext') && typeof key['ext'] !== 'boolean') issues.push('ext')
  const texts = ['x', 'y', 'n', 'e'].filter((name) => Object.hasOwn(key, name)).map((name) => key[name])
  if (texts.some((text) => typeof text !== 'string' || !isCanonical(text))) issues.push('encoding')
  const octets = COORDINATES.get(key['crv'])
  const isShort = (text: unknown) => bytesOf(text).length !== octets
  if (key['kty'] !== 'RSA' && [key['x'], ...(key['kty'] === 'EC' ? [key['y']] : [])].some(isShort))
    issues.push('length')
  if (key['kty'] === 'RSA') issues.push(...rsaIssues(key))
  return issues
}

/** Octets of a coordinate, which are all written, leading zeros too (RFC 7518 section 6.2.1.2). */
const COORDINATES: ReadonlyMap<unknown, number> = new Map([
  ['P-256', 32],
  ['P-384', 48],
  ['P-521', 66],
  ['Ed25519', 32],
])

/** What is no text has no bytes: asking an object of a stranger for its text may throw. */
const bytesOf = (text: unknown): Buffer => Buffer.from(typeof text === 'string' ? text : '', 'base64url')

const isCanonical = (text: string): boolean => Buffer.from(text, 'base64url').toString('base64url') === text

function rsaIssues({ n, e }: Readonly<Record<string, unknown>>): string[] {
  const [modulus, exponent] = [bytesOf(n), bytesOf(e)]
  const issues: string[] = []
  if (modulus[0] === 0 || exponent[0] === 0) issues.push('leading zero')
  if (modulus.length > 1024) issues.push('modulus')
  if (modulus.length < 256 || (modulus[0] ?? 0) < 0x80) issues.push('modulus')
  const value = exponent.length === 0 ? 0n : BigInt(`0x${exponent.toString('hex')}`)
  if (value < 3n || value % 2n === 0n || value > 0xffff_ffffn) issues.push('exponent')
  return issues
}
