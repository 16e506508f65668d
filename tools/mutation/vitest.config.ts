// The tests a mutant has to get past. A plain configuration: the mutation runner knows no projects and no type tests.
import { mergeConfig } from 'vitest/config'
import base from '../../vitest.config.ts'

export default mergeConfig(
  { ...base, test: {} },
  {
    test: {
      include: [
        'packages/core/src/{json,token,proof,grant,catalog,decimal,ledger,revocation}/**/*.test.ts',
        'packages/core/src/crypto.test.ts',
        'packages/verifier/src/**/*.test.ts',
      ],
      exclude: ['**/node_modules/**', '**/dist/**', '**/*.web.test.ts'],
      testTimeout: 15_000,
    },
  },
)
