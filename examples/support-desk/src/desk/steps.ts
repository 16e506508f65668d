export interface Step {
  readonly id: string
  readonly expected: string
  readonly actual: string
  readonly ok: boolean
}

export type Check = (id: string, expected: string, run: () => Promise<string>) => Promise<void>

/** Runs each expectation, shows it as it happens, and keeps it for the verdict. */
export const stepsTo = (write: (line: string) => void): { readonly steps: Step[]; readonly check: Check } => {
  const steps: Step[] = []
  const check: Check = async (id, expected, run) => {
    const actual = await run().catch((cause: unknown) => `threw: ${cause instanceof Error ? cause.message : 'unknown'}`)
    const passed = actual === expected
    steps.push({ id, expected, actual, ok: passed })
    write(
      passed
        ? `  ok    ${id.padEnd(34)} ${actual}`
        : `  WRONG ${id.padEnd(34)} ${actual}\n        expected ${expected}`,
    )
  }
  return { steps, check }
}
