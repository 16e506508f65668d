/** Ends a command with a message for the person who typed it. Exit code 2 = typed wrongly, 1 = did not work. */
export class Failure extends Error {
  readonly exitCode: 1 | 2
  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message)
    this.name = 'Failure'
    this.exitCode = exitCode
  }
}

/** The command line is not one this command understands. */
export const misused = (message: string): Failure => new Failure(message, 2)
