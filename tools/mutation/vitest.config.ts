// The tests a mutant has to get past. A plain configuration: the mutation runner knows no projects and no type tests.
import { fileURLToPath } from 'node:url'
import { mergeConfig } from 'vitest/config'
import base from '../../vitest.config.ts'

const parts = process.env['MUTATION_PARTS']?.split(',')
const core = 'packages/core/src'

/** The tests beside what is mutated, the hostile tables with them: a check has to be held by its own. */
const beside: Record<string, string> = {
  token: `${core}/{token/*,crypto}.test.ts`,
  crypto: `${core}/{crypto,token/*,proof/*}.test.ts`,
  // What every ledger has to do is said there once.
  ledger: `{${core}/ledger/*,packages/testing/src/ledger-contract/memory-ledger}.test.ts`,
  verifier: 'packages/verifier/src/**/*.test.ts',
}

/** MUTATION_TESTS names the tests itself, as globs with a comma between them: a fast loop on one file. */
const include = process.env['MUTATION_TESTS']?.split(',') ??
  parts?.map((part) => beside[part] ?? `${core}/${part}/**/*.test.ts`) ?? [
    `${core}/{json,token,proof,grant,catalog,decimal,revocation}/**/*.test.ts`,
    ...Object.values(beside),
  ]

export default mergeConfig(
  { ...base, test: {} },
  {
    test: {
      include,
      // Neither properties nor the random tokens of the judge: they are slow, and chance should hold no check.
      setupFiles: [fileURLToPath(new URL('without-chance.ts', import.meta.url))],
      exclude: ['**/node_modules/**', '**/dist/**', '**/*.web.test.ts', '**/jose-judge.test.ts'],
      testTimeout: 60_000,
    },
  },
)
