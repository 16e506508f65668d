import type { SqliteFile } from './sqlite-file.ts'

/** Which life of the file this is, and the latest time that was ever answered from it. */
export interface Life {
  readonly store: string
  readonly epoch: number
  readonly since_us: number
  readonly clock_us: number
  /** A reader of the log whose cursor is older has missed a line. */
  readonly log_gone_below: number
}

export function readLife(file: SqliteFile): Life {
  const life = file.get<Life>('SELECT * FROM hallpass_life WHERE id = 1')
  if (life === undefined) throw new Error('The file has lost its row in hallpass_life')
  return life
}

/** Tasks and grants of another are refused (rule 5). */
export const incarnationOf = ({ store, epoch }: Life): string => `${store}.${epoch}`

/** One transaction that writes: its time, and the life it happens in. Times are whole microseconds. */
export class Write {
  readonly file: SqliteFile
  readonly now: number
  readonly life: Life
  readonly incarnation: string
  /** Whether the log of revocations got a line. */
  logged = false

  constructor(file: SqliteFile, life: Life, clockUs: number) {
    this.file = file
    this.life = life
    this.now = Math.max(clockUs, life.clock_us)
    this.incarnation = incarnationOf(life)
  }

  /** Leaves behind the latest time, so that no other process and no later start goes back behind it. */
  keepTime(): void {
    if (this.now > this.life.clock_us) this.file.run('UPDATE hallpass_life SET clock_us = ? WHERE id = 1', this.now)
  }
}

export const toUs = (seconds: number): number => Math.round(seconds * 1e6)
export const toSeconds = (us: number): number => us / 1e6
