import { privateKeySigner, signingKeys } from '@hallpass/broker'
import type { Signer, SigningKeys } from '@hallpass/broker'
import { readPrivateJwk } from './key-file.ts'
import type { NamedJwk } from './key-ring.ts'
import { privateFile, readKeyRing } from './key-ring.ts'

/** Signs with one key of a directory. */
export const signerOf = (directory: string, { kid }: NamedJwk): Signer =>
  privateKeySigner(readPrivateJwk(privateFile(directory, kid)), kid)

/** The ring as a broker uses it. */
export function signingKeysOf(directory: string, now: number): SigningKeys {
  const ring = readKeyRing(directory)
  return signingKeys({
    current: signerOf(directory, ring.current),
    next: signerOf(directory, ring.next),
    retiring: ring.retired.filter(({ until }) => until > now),
  })
}
