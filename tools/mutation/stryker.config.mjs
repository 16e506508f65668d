// Mutates the checks: the pure layers that read what a stranger sent, what a grant covers, what a ledger counts, and the
// verifier's steps. A mutant that no test notices is a hole in a check, or is explained in docs/mutation.md.
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/** By name, so that one part can be run alone: `npm run mutation -- --only=proof,token`. */
const parts = {
  json: ['packages/core/src/json/*.ts'],
  token: ['packages/core/src/token/*.ts'],
  proof: ['packages/core/src/proof/*.ts'],
  grant: ['packages/core/src/grant/*.ts'],
  catalog: ['packages/core/src/catalog/{resource,parameters,check-parameters,route-template}.ts'],
  decimal: ['packages/core/src/decimal/*.ts'],
  crypto: ['packages/core/src/crypto.node.ts'],
  ledger: [
    'packages/core/src/ledger/{redeem,charges,check-limits,counter,live-grant,live-task,register-grant,revoke}.ts',
    'packages/core/src/ledger/{proof-marks,once-marks,standing-stops,signed-grant,end-use,use}.ts',
  ],
  revocation: ['packages/core/src/revocation/{check-status-list-claims,status-list,status-list-encoding}.ts'],
  verifier: ['packages/verifier/src/{flow,token,request,call,body}/*.ts', 'packages/verifier/src/keys/*.ts'],
}

const tests = ['!packages/**/*.test.ts', '!packages/**/*.test-d.ts']

const chosen = process.env['MUTATION_PARTS']?.split(',') ?? Object.keys(parts)
const unknown = chosen.filter((name) => parts[name] === undefined)
if (unknown.length > 0) throw new Error(`No part ${unknown.join(', ')}. Parts: ${Object.keys(parts).join(', ')}`)

export default {
  mutate: [...chosen.flatMap((name) => parts[name]), ...tests],
  testRunner: 'vitest',
  plugins: [here('../node_modules/@stryker-mutator/vitest-runner/dist/src/index.js'), here('prose.mjs')],
  ignorers: ['prose'],
  vitest: { configFile: 'tools/mutation/vitest.config.ts', related: false },
  coverageAnalysis: 'perTest',
  // The compiler the runner would ask has no API any more; types do not matter to a mutant.
  tsconfigFile: 'tsconfig.none.json',
  ignorePatterns: ['**/dist', '.ci', 'docs', '.build-stamp'],
  ignoreStatic: true,
  concurrency: 2,
  timeoutMS: 10_000,
  tempDirName: 'node_modules/.cache/mutation',
  reporters: ['clear-text', 'progress', 'json', 'html'],
  clearTextReporter: { allowColor: false, reportTests: false, logTests: false },
  jsonReporter: { fileName: 'node_modules/.cache/mutation.json' },
  htmlReporter: { fileName: 'node_modules/.cache/mutation.html' },
  allowEmpty: false,
}
