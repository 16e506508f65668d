// Control, format and bidirectional characters, line separators and lone surrogates: a note or a resource is written by
// someone else and must not move the cursor, recolour the page or turn text around.
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** Text that a terminal shows and does not obey; at most `max` characters, the rest is cut with an ellipsis. */
export function printable(text: unknown, max = 200): string {
  // An altered trail may hold a number where text belongs.
  const given = typeof text === 'string' ? text : (JSON.stringify(text) ?? '?')
  const shown = given.replace(unprintable, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`)
  const characters = Array.from(shown)
  return characters.length <= max ? shown : `${characters.slice(0, max - 1).join('')}…`
}
