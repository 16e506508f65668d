import type { TestKey } from '../key/test-key.ts'
import { signJws } from '../key/test-key.ts'
import type { ProofWish } from '../wire/make-proof.ts'
import { makeProof } from '../wire/make-proof.ts'
import type { AttackMaterial, AttackRequest } from './attack.ts'

/** What differs from the honest request. */
export interface Bent {
  readonly token?: string
  readonly scheme?: string
  /** The proof as it is sent; undefined leaves it out. */
  readonly proof?: string | undefined
  readonly headers?: readonly (readonly [string, string])[]
  readonly url?: string
  readonly body?: string
}

/** The proof an honest agent makes, with some things different. */
export function proofFor(
  material: AttackMaterial,
  wish: Partial<ProofWish> = {},
  key: TestKey = material.holder,
): string {
  const { method, url, now, token, body, query } = material
  const honest = { method, url, now, token, ...(body !== undefined && { body }), ...(query !== undefined && { query }) }
  return makeProof(key, { ...honest, ...wish })
}

/** The honest request, or one that differs from it in exactly what is given. */
export function requestWith(material: AttackMaterial, bent: Bent = {}): AttackRequest {
  const { token = material.token, scheme = 'DPoP' } = bent
  const proof = 'proof' in bent ? bent.proof : proofFor({ ...material, token })
  const body = bent.body ?? material.body
  const query = material.query === undefined ? '' : `?${material.query}`
  const headers: (readonly [string, string])[] = [['authorization', `${scheme} ${token}`]]
  if (proof !== undefined) headers.push(['dpop', proof])
  if (body !== undefined) headers.push(['content-type', 'application/json'])
  return {
    method: material.method,
    url: bent.url ?? `${material.url}${query}`,
    headers: [...headers, ...(bent.headers ?? [])],
    ...(body !== undefined && { body }),
  }
}

/** A grant signed by the broker's own key, with claims or header that no broker writes. Undefined removes a member. */
export function forgedToken(
  { header, claims, brokerKey }: AttackMaterial,
  changes: { readonly claims?: object | string; readonly header?: object | string; readonly key?: TestKey } = {},
): string {
  const merged = (base: object, change: object | string | undefined) =>
    typeof change === 'string' ? change : { ...base, ...change }
  return signJws(merged(header, changes.header), merged(claims, changes.claims), (changes.key ?? brokerKey).privateKey)
}

/** The same entry with some members replaced or, when undefined, removed. */
export function bentEntry(
  { claims }: AttackMaterial,
  members: object,
): { readonly authorization_details: readonly object[] } {
  const [entry] = claims['authorization_details'] as readonly object[]
  return { authorization_details: [{ ...entry, ...members }] }
}

/** As a web `Request`; repeated headers are joined there, as the platform does. */
export function toRequest({ method, url, headers, body }: AttackRequest): Request {
  const joined = new Headers()
  for (const [name, value] of headers) joined.append(name, value)
  return new Request(url, { method, headers: joined, ...(body !== undefined && { body }) })
}
