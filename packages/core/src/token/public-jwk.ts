import type { Jwk } from '../identity/identity.ts'
import { algorithmRow } from './algorithm.ts'
import type { AlgorithmRow, SignatureAlgorithm } from './algorithm.ts'

/** Only the members that make the key, ready for a platform's import. */
export interface PublicJwk {
  readonly members: { readonly kty: string; readonly [member: string]: string }
  readonly signatureBytes: number
}

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const USES: readonly unknown[] = [undefined, 'sig', 'jwt-svid']
const MAX_MODULUS_BYTES = 1024

/**
 * Checks that a JWK is a public key that fits exactly this algorithm (RFC 7517, RFC 7518 section 6, RFC 8037).
 *
 * Refuses private members, `oct`, another curve or type, a `use`, `key_ops` or `alg` that says otherwise, coordinates of
 * the wrong length, RSA below 2048 bits. Does not check that a point is on its curve: the platform's import does.
 */
export function publicJwk(
  jwk: Jwk,
  alg: SignatureAlgorithm,
  decode: (text: string) => Uint8Array | undefined,
): PublicJwk | undefined {
  const row = algorithmRow(alg)
  if (row === undefined || typeof jwk !== 'object' || jwk === null || jwk.kty !== row.kty) return undefined
  if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member))) return undefined
  if (!USES.includes(jwk.use) || !fitsOperations(jwk['key_ops'])) return undefined
  if (jwk['ext'] !== undefined && typeof jwk['ext'] !== 'boolean') return undefined
  if (jwk.alg !== undefined && jwk.alg !== alg) return undefined
  return row.kty === 'RSA' ? rsaKey(jwk, decode) : curveKey(jwk, row, decode)
}

/** A public key verifies and does nothing else; operations come once each (RFC 7517 section 4.3). */
function fitsOperations(operations: unknown): boolean {
  return (
    operations === undefined || (Array.isArray(operations) && operations.length === 1 && operations[0] === 'verify')
  )
}

function curveKey(
  jwk: Jwk,
  row: AlgorithmRow,
  decode: (text: string) => Uint8Array | undefined,
): PublicJwk | undefined {
  const { x, y } = jwk as Record<string, unknown>
  const crv = row.crv as string
  if (jwk['crv'] !== crv || typeof x !== 'string') return undefined
  if (decode(x)?.length !== row.coordinate) return undefined
  if (row.kty === 'OKP') return { members: { kty: 'OKP', crv, x }, signatureBytes: row.signature }
  if (typeof y !== 'string' || decode(y)?.length !== row.coordinate) return undefined
  return { members: { kty: 'EC', crv, x, y }, signatureBytes: row.signature }
}

function rsaKey(jwk: Jwk, decode: (text: string) => Uint8Array | undefined): PublicJwk | undefined {
  const { n, e } = jwk as Record<string, unknown>
  if (typeof n !== 'string' || typeof e !== 'string') return undefined
  const modulus = decode(n)
  const exponent = decode(e)
  if (modulus === undefined || exponent === undefined || exponent.length > 4) return undefined
  // A leading zero would let the modulus look longer than it is.
  const first = modulus[0] ?? 0
  if (first === 0 || modulus.length > MAX_MODULUS_BYTES) return undefined
  const bits = (modulus.length - 1) * 8 + (32 - Math.clz32(first))
  const last = exponent[exponent.length - 1] ?? 0
  const isOne = exponent.length === 1 && last === 1
  if (bits < 2048 || exponent[0] === 0 || last % 2 === 0 || isOne) return undefined
  return { members: { kty: 'RSA', n, e }, signatureBytes: modulus.length }
}
