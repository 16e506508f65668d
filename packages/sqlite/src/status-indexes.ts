import type { StatusSeries } from '@hallpass/core'
import type { Write } from './life.ts'
import { toUs } from './life.ts'

/** Takes `size` indexes of a series, and returns the first of them; with 0, how many are taken. */
export function reserveStatus({ file, now }: Write, { name, until }: StatusSeries, size: number): number {
  file.run('DELETE FROM hallpass_status WHERE name = ? AND until_us <= ?', name, now)
  const taken = file.get<{ taken: number }>('SELECT taken FROM hallpass_status WHERE name = ?', name)?.taken ?? 0
  if (size > 0) {
    file.run(
      `INSERT INTO hallpass_status (name, taken, until_us) VALUES (?, ?, ?)
        ON CONFLICT (name) DO UPDATE SET taken = taken + excluded.taken, until_us = max(until_us, excluded.until_us)`,
      name,
      size,
      toUs(until),
    )
  }
  return taken
}
