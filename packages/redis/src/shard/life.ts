import type { Times } from './program.ts'
import { textFor } from './program.ts'
import type { ProgramName } from './programs.ts'
import { programs } from './programs.ts'

export interface Script {
  readonly text: string
  readonly sha: string
}

/** One life of a server that serves a shard: its scripts are its own. */
export interface Life {
  readonly id: string
  readonly era: string
  /** Of the data, not of the server. */
  readonly store: string
  readonly scripts: Readonly<Record<ProgramName, Script>>
}

/** The scripts of one life, with the digests by which the server knows them once it has seen them. */
export async function scriptsFor(
  life: string,
  { times, channel }: { readonly times: Times; readonly channel: string },
): Promise<Life['scripts']> {
  const entries = Object.entries(programs).map(async ([name, program]) => {
    const text = textFor(program, { life, times, channel })
    return [name, { text, sha: await sha1Hex(text) }] as const
  })
  return Object.fromEntries(await Promise.all(entries)) as Record<ProgramName, Script>
}

/** EVALSHA knows scripts by their SHA-1; nothing here rests on its strength. */
async function sha1Hex(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
