import type { WorkloadIdentity } from '@hallpass/core'
import { isCount, isRecord } from '../definition/reader.ts'
import type { Loose, Problems } from '../definition/reader.ts'

/** Data members by kind: the ones that pin the workload, and the ones that may be there. */
const MEMBERS: Readonly<
  Record<WorkloadIdentity['kind'], { readonly pins: readonly string[]; readonly others: readonly string[] }>
> = {
  oidc: { pins: ['issuer', 'audience', 'subject'], others: ['claims', 'jwks', 'algorithms'] },
  spiffe: { pins: ['id', 'audience'], others: ['bundle', 'algorithms'] },
  private_key_jwt: { pins: ['audience', 'subject'], others: ['jwks'] },
}

const isKind = (value: unknown): value is WorkloadIdentity['kind'] =>
  typeof value === 'string' && Object.hasOwn(MEMBERS, value)
const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''

/**
 * Checks that an identity pins one workload, and copies its data. Whatever else the object carries, such as the methods
 * and the key of `localDev()`, stays with its owner.
 */
export function checkIdentity(value: unknown, where: string, problems: Problems): WorkloadIdentity | undefined {
  if (!isRecord(value) || !isKind(value['kind'])) {
    problems.add(where, 'needs an identity: oidc(), spiffe(), privateKeyJwt() or localDev()')
    return undefined
  }
  const { pins, others } = MEMBERS[value['kind']]
  for (const name of pins) {
    if (!isText(value[name])) problems.add(where, `the identity needs '${name}': an exact, non-empty text`)
  }
  const keys = value['kind'] === 'spiffe' ? value['bundle'] : value['jwks']
  if (value['kind'] !== 'oidc' && !isText(keys) && !isKeySet(keys)) problems.add(where, 'the identity needs its keys')
  if (
    isKeySet(keys) &&
    keys.keys.some((key) => isRecord(key) && (Object.hasOwn(key, 'd') || Object.hasOwn(key, 'k')))
  ) {
    problems.add(where, 'the identity holds a private or shared key; give the public key only')
  }
  const perAssertion = value['keysPerAssertion']
  if (perAssertion !== undefined && !isCount(perAssertion))
    problems.add(where, "'keysPerAssertion' has to be a positive whole number")
  return copy(value, ['kind', ...pins, ...others, 'keysPerAssertion']) as unknown as WorkloadIdentity
}

const isKeySet = (value: unknown): value is { readonly keys: readonly unknown[] } =>
  isRecord(value) && Array.isArray(value['keys']) && value['keys'].length > 0

function copy(value: Loose, names: readonly string[]): Loose {
  const present = names.filter((name) => value[name] !== undefined)
  return Object.freeze(Object.fromEntries(present.map((name) => [name, structuredClone(value[name])])))
}
