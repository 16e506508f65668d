import { createHash, randomUUID } from 'node:crypto'
import { createProofs } from '@hallpass/client'
import { isPromise, verifyProof } from '@hallpass/core'
import type { MaybePromise } from '@hallpass/core'
import { generateKeyPair, generateProof } from 'dpop'
import { SignJWT } from 'jose'
import { bareSign } from '../baseline/bare-crypto.ts'
import type { RowAim } from '../row/row-aim.ts'
import type { Work } from '../timing/work.ts'
import { PATH } from '../world/agent-call.ts'
import { createEs256Key } from '../world/es256-key.ts'
import { createBenchIssuer } from '../world/grant.ts'
import { TASK } from '../world/bench-ledger.ts'
import { AUDIENCE } from '../world/orders-api.ts'
import { must } from './must.ts'
import type { Entry, Suite } from './suite.ts'

const REQUEST = { method: 'GET', url: AUDIENCE + PATH } as const
const seconds = (): number => Date.now() / 1000

type MakeProof = () => MaybePromise<string>

/** Makes proofs one after the other and looks at none of them: `check` did. */
function making(make: MakeProof): Work {
  return {
    async run(operations) {
      for (let done = 0; done < operations; done++) {
        const proof = make()
        if (isPromise(proof)) await proof
      }
    },
  }
}

/** The proof is good for this request and this token, for no other, and never the same twice. */
async function checkProofs(make: MakeProof, token: string): Promise<void> {
  const [proof, another] = [await make(), await make()]
  const holds = async (more: Partial<Parameters<typeof verifyProof>[1]>): Promise<boolean> =>
    (await verifyProof(proof, { ...REQUEST, now: seconds(), accessToken: token, ...more })).ok
  must(await holds({}), 'a proof holds for its request')
  must(!(await holds({ method: 'POST' })), 'it does not hold for another method')
  must(!(await holds({ url: `${AUDIENCE}/orders/999` })), 'it does not hold for another URL')
  must(!(await holds({ accessToken: `${token}x` })), 'it does not hold for another token')
  must(!(await holds({ now: seconds() + 3600 })), 'it does not hold an hour later')
  const jti = (text: string): unknown => JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()).jti
  must(jti(proof) !== jti(another), 'no two proofs are the same')
}

function joseProof(token: string): MakeProof {
  const key = createEs256Key()
  const header = { alg: 'ES256', typ: 'dpop+jwt', jwk: { ...key.jwk } }
  return () => {
    const ath = createHash('sha256').update(token).digest('base64url')
    const claims = { jti: randomUUID(), htm: REQUEST.method, htu: REQUEST.url, ath }
    return new SignJWT(claims).setProtectedHeader(header).setIssuedAt().sign(key.privateKey)
  }
}

const row = (id: string, aim: number | null, work: string): RowAim => ({
  id,
  aim,
  better: 'lower',
  measure: aim === null ? 'wall' : 'cpu',
  baseline: 'ES256 sign',
  work,
})

export const proof: Suite = {
  rows: [
    row('client.proof', 1.2, 'proof for one call of a grant in hand'),
    row('peer.dpop.proof', null, 'generateProof'),
    row('peer.jose.proof', null, 'SignJWT with the key in the header'),
  ],
  open: async () => {
    const { token } = createBenchIssuer().grant({ txn: TASK, action: 'order.read', resource: 'order:123', calls: 1 })
    const ath = createHash('sha256').update(token).digest('base64url')
    const maker = await createProofs()
    const keys = await generateKeyPair('ES256')
    const makers: readonly (readonly [string, MakeProof])[] = [
      ['client.proof', () => maker.proof({ ...REQUEST, now: seconds(), ath })],
      ['peer.dpop.proof', () => generateProof(keys, REQUEST.url, REQUEST.method, undefined, token)],
      ['peer.jose.proof', joseProof(token)],
    ]
    const sample = await maker.proof({ ...REQUEST, now: seconds(), ath })
    const baseline = bareSign(createEs256Key(), sample.slice(0, sample.lastIndexOf('.')))
    const entries = makers.map(([id, make]): Entry => ({
      id,
      check: () => checkProofs(make, token),
      work: making(make),
      baseline,
    }))
    return { entries }
  },
}
