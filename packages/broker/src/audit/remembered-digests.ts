import type { Digester } from '@hallpass/core'

const MAX_REMEMBERED = 1024

/** A digester for short texts that remembers its answers: what agents ask for most, they ask for again and again. */
export function rememberedDigests(digest: Digester): (text: string) => string {
  const known = new Map<string, string>()
  return (text) => {
    const before = known.get(text)
    if (before !== undefined) return before
    if (known.size >= MAX_REMEMBERED) known.clear()
    const made = digest(text)
    known.set(text, made)
    return made
  }
}
