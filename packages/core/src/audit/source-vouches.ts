import type { JwkSet } from '../identity/identity.ts'
import type { TrailLine } from './event.ts'
import { verifyIntroduction } from './key-introduction.ts'
import type { SignedSourceCheckpoint } from './source-checkpoint.ts'
import { verifySourceCheckpoint } from './source-checkpoint.ts'

/** Whose word to take for the keys that sign the chains of other processes. */
export interface SourceTrust {
  /** Thumbprints (RFC 7638) that the sources told somebody else than the keeper of the trail. */
  readonly pins?: readonly string[]
  /** Public keys of the identity provider of those processes, which introduced their keys. */
  readonly identities?: JwkSet
}

/** A source's checkpoint with what its key rests on. */
export interface Vouch extends SignedSourceCheckpoint {
  /** `trail`: nothing but the trail itself says that this is the source's key. */
  readonly trust: 'pinned' | 'introduced' | 'trail'
  /** `sub` of the identity that introduced the key. */
  readonly by?: string
}

/** Reads what a `trail.vouched` line holds: a checkpoint that holds and whose key is trusted, or what is wrong with it. */
export async function readVouch(
  line: TrailLine,
  trust: SourceTrust | undefined,
): Promise<{ readonly vouch: Vouch } | { readonly wrong: string; readonly at?: SignedSourceCheckpoint }> {
  const { jws, introduction } = (line.data ?? {}) as { readonly jws?: unknown; readonly introduction?: unknown }
  if (typeof jws !== 'string') return { wrong: 'it holds no checkpoint' }
  const checkpoint = await verifySourceCheckpoint(jws)
  if (!checkpoint.ok) return { wrong: `its checkpoint does not hold: ${checkpoint.detail ?? checkpoint.reason}` }
  const at = checkpoint.value
  const { jkt } = at
  if (trust?.pins?.includes(jkt) === true) return { vouch: { ...at, trust: 'pinned' } }
  if (trust?.identities !== undefined && introduction !== undefined) {
    const introduced = await verifyIntroduction(introduction, jkt, trust.identities)
    return introduced.ok
      ? { vouch: { ...at, trust: 'introduced', by: introduced.value.sub } }
      : { wrong: `the introduction of its key does not hold: ${introduced.detail ?? introduced.reason}`, at }
  }
  if (trust?.pins === undefined && trust?.identities === undefined) return { vouch: { ...at, trust: 'trail' } }
  return { wrong: `it is signed by ${jkt}, a key that nobody given here stands for`, at }
}
