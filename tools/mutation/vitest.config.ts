// The tests a mutant has to get past. A plain configuration: the mutation runner knows no projects and no type tests.
import { mergeConfig } from 'vitest/config'
import base from '../../vitest.config.ts'

const parts = process.env['MUTATION_PARTS']?.split(',') ?? ['verifier', 'core']

/** The tests beside what is mutated: a check has to be held by its own, and what stands around it is slow. */
const include = [
  ...(parts.includes('verifier') ? ['packages/verifier/src/**/*.test.ts'] : []),
  ...(parts.every((part) => part === 'verifier')
    ? []
    : [
        'packages/core/src/{json,token,proof,grant,catalog,decimal,ledger,revocation}/**/*.test.ts',
        'packages/core/src/crypto.test.ts',
      ]),
]

export default mergeConfig(
  { ...base, test: {} },
  {
    test: {
      include,
      exclude: ['**/node_modules/**', '**/dist/**', '**/*.web.test.ts'],
      testTimeout: 15_000,
    },
  },
)
