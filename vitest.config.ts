import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = dirname(fileURLToPath(import.meta.url))

interface Manifest {
  name: string
  exports?: Record<string, string | { default: string }>
}

/** `@hallpass/core/local-dev` -> `packages/core/src/local-dev.ts`, read off each package's exports. */
function doorsToSources(): { find: RegExp; replacement: string }[] {
  return readdirSync(resolve(root, 'packages')).flatMap((folder) => {
    const file = resolve(root, 'packages', folder, 'package.json')
    if (!existsSync(file)) return []
    const { name, exports = {} } = JSON.parse(readFileSync(file, 'utf8')) as Manifest
    return Object.entries(exports).flatMap(([door, target]) => {
      if (typeof target === 'string') return []
      const source = target.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts')
      const specifier = door === '.' ? name : `${name}${door.slice(1)}`
      return [{ find: new RegExp(`^${specifier}$`), replacement: resolve(root, 'packages', folder, source) }]
    })
  })
}

/** `#crypto` inside a package's sources means the Node build; inside dist its own manifest decides. */
const cryptoOfSources = {
  name: 'crypto-of-sources',
  enforce: 'pre' as const,
  resolveId(id: string, importer?: string) {
    const home = id === '#crypto' && importer ? /^(.*\/packages\/[^/]+\/src)\//.exec(importer)?.[1] : undefined
    return home === undefined ? undefined : `${home}/crypto.node.ts`
  },
}

const ignored = ['**/node_modules/**', '**/dist/**']

export default defineConfig({
  plugins: [cryptoOfSources],
  // TEST_TARGET=dist runs the same tests against the built packages.
  resolve: { alias: process.env['TEST_TARGET'] === 'dist' ? [] : doorsToSources() },
  test: {
    // On two cores the runner would take one of them; most tests wait for servers of their own.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.test-d.ts', 'packages/{bench,conformance}/**'],
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'examples/*/src/**/*.test.ts', 'tests/**/*.test.ts'],
          exclude: ignored,
          // For a machine that does much else: what hangs is found all the same.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'types',
          include: [],
          benchmark: { include: [] },
          typecheck: {
            enabled: true,
            only: true,
            checker: 'tsc',
            include: ['packages/*/src/**/*.test-d.ts', 'examples/*/src/**/*.test-d.ts'],
            exclude: ignored,
            tsconfig: 'tsconfig.type-tests.json',
          },
        },
      },
    ],
  },
})
