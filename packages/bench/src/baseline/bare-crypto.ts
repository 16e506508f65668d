import { sign, verify } from 'node:crypto'
import type { Es256Key } from '../world/es256-key.ts'
import type { Work } from '../timing/work.ts'

const options = { dsaEncoding: 'ieee-p1363' } as const

/** One synchronous ES256 `crypto.verify` over this compact JWS, key and bytes ready: the physical limit. */
export function bareVerify(key: Es256Key, token: string): Work {
  const cut = token.lastIndexOf('.')
  const input = Buffer.from(token.slice(0, cut), 'latin1')
  const signature = Buffer.from(token.slice(cut + 1), 'base64url')
  const against = { key: key.publicKey, ...options }
  return {
    run(operations) {
      for (let i = 0; i < operations; i++) {
        if (!verify('sha256', input, against, signature)) throw new Error('The bare verification failed.')
      }
    },
  }
}

/** One synchronous ES256 `crypto.sign` over this signing input. */
export function bareSign(key: Es256Key, signingInput: string): Work {
  const input = Buffer.from(signingInput, 'latin1')
  const by = { key: key.privateKey, ...options }
  return {
    run(operations) {
      for (let i = 0; i < operations; i++) {
        if (sign('sha256', input, by).length !== 64) throw new Error('The bare signature failed.')
      }
    },
  }
}

/** One bare verification and one bare signature: what issuing a grant cannot do without. */
export function bareVerifyAndSign(key: Es256Key, token: string): Work {
  const verifying = bareVerify(key, token)
  const signing = bareSign(key, token.slice(0, token.lastIndexOf('.')))
  return {
    run(operations) {
      for (let i = 0; i < operations; i++) {
        void verifying.run(1)
        void signing.run(1)
      }
    },
  }
}
