import { printable } from '@hallpass/core'

/** A single-quoted TypeScript literal of any text: nothing in it can end it. */
export function quote(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  // JSON leaves the line separators, which not every tool takes inside a literal.
  return `'${inner.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}'`
}

/** A line comment of any text: it stays on its line. */
export const comment = (text: string): string => `// ${printable(text, 200)}`

const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/

/** A member name, quoted where it has to be. `__proto__` is computed, so that it is a member and not the prototype. */
export function memberName(name: string): string {
  if (name === '__proto__') return "['__proto__']"
  return IDENTIFIER.test(name) ? name : quote(name)
}
