import { digestValue } from '../wire/make-proof.ts'
import type { Attack, AttackMaterial } from './attack.ts'
import { proofFor, requestWith } from './honest-request.ts'

const BODY = { status: 401, reason: 'proof-body' } as const

/** A body, and an honest proof over it: what is in it is all that is wrong. */
const proven = (material: AttackMaterial, body: string) => requestWith({ ...material, body })

/** Requests that differ from what was proven or granted. They need material whose call has a body. */
export const bodyAttacks: readonly Attack[] = [
  {
    ...BODY,
    id: 'body.changed',
    title: 'another body than the proof covers',
    make: (material) =>
      requestWith(material, { proof: proofFor(material), body: material.body?.replace(/\d/, '9') ?? '{}' }),
  },
  {
    ...BODY,
    id: 'body.white-space',
    title: 'the same JSON in other bytes',
    make: (material) => requestWith(material, { proof: proofFor(material), body: `${material.body} ` }),
  },
  {
    ...BODY,
    id: 'body.digest-absent',
    title: 'a proof that does not cover the body',
    make: (material) => requestWith(material, { proof: proofFor(material, { claims: { content_digest: undefined } }) }),
  },
  {
    ...BODY,
    id: 'body.digest-other',
    title: 'a proof over another body',
    make: (material) =>
      requestWith(material, { proof: proofFor(material, { claims: { content_digest: digestValue('{}') } }) }),
  },
  {
    id: 'body.parameters',
    title: 'other parameters, honestly proven',
    reason: 'parameters-mismatch',
    status: 403,
    make: (material) => proven(material, material.body?.replace(/\d/, '9') ?? '{}'),
  },
  {
    id: 'body.extra',
    title: 'a parameter the action does not know',
    reason: 'parameters-invalid',
    status: 400,
    make: (material) => proven(material, material.body?.replace('{', '{"admin":true,') ?? '{"admin":true}'),
  },
  {
    id: 'body.duplicate',
    title: 'a parameter twice',
    reason: 'request-malformed',
    status: 400,
    make: (material) => proven(material, (material.body ?? '{}').replace(/\{("[^"]+":)/, '{$1"0.01",$1')),
  },
  {
    id: 'body.in-query',
    title: 'a parameter in body and query',
    reason: 'parameters-invalid',
    status: 400,
    make: (material) => {
      const query = 'amount=0.01'
      return requestWith({ ...material, query }, { proof: proofFor(material, { query }) })
    },
  },
]
