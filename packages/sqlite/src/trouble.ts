/** `busy`: another process writes. `full`: no room on the disk, or in the file. `other`: anything else. */
export type Trouble = 'busy' | 'full' | 'other'

/** Drivers put SQLite's own code in one of these; its low byte says what went wrong, the rest where. */
const CODES: Readonly<Record<number, Trouble>> = { 5: 'busy', 6: 'busy', 13: 'full' }

/** What a driver's error means. Every driver repeats SQLite's own words where it has no code. */
export function troubleOf(error: unknown): Trouble {
  const { code, errcode, rawCode, message } = Object(error) as Readonly<Record<string, unknown>>
  for (const number of [errcode, rawCode, code]) {
    if (typeof number === 'number') return CODES[number & 0xff] ?? 'other'
  }
  const text = `${typeof code === 'string' ? code : ''} ${typeof message === 'string' ? message : ''}`
  if (/SQLITE_(BUSY|LOCKED)|database( table)? is locked/.test(text)) return 'busy'
  return /SQLITE_FULL|database or disk is full/.test(text) ? 'full' : 'other'
}
