import { isWellFormed } from '@hallpass/core'

/** Whether PostgreSQL can keep a text: it has no U+0000 and no lone surrogates. */
export const isKeepable = (text: unknown): text is string =>
  typeof text === 'string' && !text.includes('\0') && isWellFormed(text)

/** JSON for a `jsonb` value, or undefined where a text in it cannot be kept. */
export function keepableJson(value: unknown): string | undefined {
  const json = JSON.stringify(value)
  return /\\u(0000|d[89a-f][0-9a-f]{2})/i.test(json) ? undefined : json
}

/** A reason in words: what cannot be kept of it is left out, since nothing may stand in the way of a revocation. */
export const keptWords = (text: string): string =>
  new TextDecoder().decode(new TextEncoder().encode(text)).replaceAll('\0', '')

export const toUs = (seconds: number): number => Math.round(seconds * 1e6)
export const toSeconds = (us: unknown): number => Number(us) / 1e6

/** Amounts that can be added up exactly. What is missing is refused where a limit asks for it. */
export const wholeAmounts = (amounts: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(amounts).filter(([name, amount]) => isKeepable(name) && Number.isSafeInteger(amount) && amount >= 0),
  )
