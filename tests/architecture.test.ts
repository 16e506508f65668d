import { describe, expect, test } from 'vitest'
import type { Package, Source } from './sources.ts'
import { allPackages, entriesBelow, findCycle, importsOf, resolveRelative } from './sources.ts'

/** What a package may import: our own packages, other modules, and optional peers, each only from its own door. */
interface Row {
  ours: string[]
  modules: string[]
  peers?: string[]
}

const roles = ['core', 'policy', 'broker', 'verifier', 'client']
const everything = [...roles, 'testing', 'cli']

const rows: Record<string, Row> = {
  core: { ours: [], modules: ['zod', '@noble/hashes'], peers: ['@opentelemetry/api'] },
  policy: { ours: ['core'], modules: [] },
  broker: { ours: ['core', 'policy'], modules: ['jose'] },
  verifier: {
    ours: ['core'],
    modules: ['jose', 'lru-cache', 'fastify-plugin'],
    peers: ['express', 'fastify', 'hono'],
  },
  client: { ours: ['core'], modules: ['jose', 'lru-cache'], peers: ['ai'] },
  sqlite: { ours: ['core'], modules: [] },
  postgres: { ours: ['core'], modules: [] },
  redis: { ours: ['core'], modules: [] },
  testing: { ours: roles, modules: ['jose'], peers: ['vitest'] },
  cli: {
    ours: [...roles, 'testing', 'sqlite', 'redis', 'postgres'],
    modules: ['@hono/node-server', 'hono', 'jiti', 'yaml'],
  },
}

/** Private programs: they take what their manifest lists. */
const programs = ['conformance', 'bench', 'fuzz', 'soak']

/** Packages that run on Node only. Everything else also runs where there is no `node:` module. */
const nodePackages = new Set(['broker', 'cli', 'testing', ...programs])

/** Single files that may import `node:` modules, each with its reason. */
const nodeFiles = new Map<string, string>([])

const packages = allPackages()
const isProgram = (pkg: Package) => programs.includes(pkg.label) || pkg.folder.startsWith('examples/')
const shipped = (pkg: Package) => pkg.sources.filter((source) => !source.isTest)

/** `@hallpass/core/local-dev` -> `@hallpass/core`, `hono/cors` -> `hono`. */
const moduleOf = (specifier: string) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
const isBare = (specifier: string) => !/^(\.|#|node:)/.test(specifier)

function listed({ manifest }: Package): Set<string> {
  const { dependencies = {}, devDependencies = {}, peerDependencies = {} } = manifest
  return new Set([dependencies, devDependencies, peerDependencies].flatMap(Object.keys))
}

/** `src/express.ts` and everything in `src/express/` belong to the door `./express`. */
const isAtDoor = (source: Source, door: string) => new RegExp(`/src/${door}(\\.|/|-)`).test(source.path)

/** Peers whose door has another name. */
const DOORS: Readonly<Record<string, string>> = { ai: 'ai-sdk', '@opentelemetry/api': 'opentelemetry' }

function mayImport(pkg: Package, source: Source, specifier: string): boolean {
  const name = moduleOf(specifier)
  if (source.isTest) return listed(pkg).has(name) || ['vitest', 'fast-check', pkg.manifest.name].includes(name)
  if (isProgram(pkg)) return listed(pkg).has(name)
  const row = rows[pkg.label]
  if (row === undefined) return false
  if (name.startsWith('@hallpass/')) return row.ours.includes(name.slice('@hallpass/'.length))
  if (row.modules.includes(name)) return true
  const peer = row.peers?.find((candidate) => candidate === name)
  return peer !== undefined && isAtDoor(source, DOORS[peer] ?? peer)
}

function complaints(check: (pkg: Package, source: Source, specifier: string) => boolean): string[] {
  return packages.flatMap((pkg) =>
    pkg.sources.flatMap((source) =>
      source.imports.filter((name) => !check(pkg, source, name)).map((name) => `${source.path} imports ${name}`),
    ),
  )
}

describe('packages', () => {
  test('every package has a row', () => {
    expect(packages.filter((pkg) => !isProgram(pkg) && !(pkg.label in rows)).map((pkg) => pkg.folder)).toEqual([])
  })

  test('manifests list what the rows allow, and no more', () => {
    const extra = packages.flatMap((pkg) => {
      const row = rows[pkg.label]
      if (row === undefined) return []
      const allowed = [...row.ours.map((name) => `@hallpass/${name}`), ...row.modules]
      const unlisted = Object.keys(pkg.manifest.dependencies ?? {}).filter((name) => !allowed.includes(name))
      return unlisted.map((name) => `${pkg.folder} depends on ${name}`)
    })
    expect(extra).toEqual([])
  })

  test('a package imports only what its row names', () => {
    expect(complaints((pkg, source, name) => !isBare(name) || mayImport(pkg, source, name))).toEqual([])
  })

  test('packages meet only at doors', () => {
    const doors = new Set(
      packages.flatMap(({ manifest }) =>
        Object.keys(manifest.exports ?? {}).map((door) => manifest.name + door.slice(1)),
      ),
    )
    expect(complaints((_pkg, _source, name) => !name.startsWith('@hallpass/') || doors.has(name))).toEqual([])
  })

  test('no relative import leaves its package', () => {
    const stays = (pkg: Package, source: Source, name: string) =>
      !name.startsWith('.') || resolveRelative(source, name).startsWith(`${pkg.folder}/`)
    expect(complaints(stays)).toEqual([])
  })

  test('packages do not depend on each other in a circle', () => {
    const edges = ({ manifest }: Package) =>
      Object.keys(manifest.dependencies ?? {}).filter((name) => name.startsWith('@hallpass/'))
    expect(findCycle(new Map(packages.map((pkg) => [pkg.manifest.name, edges(pkg)])))).toBeUndefined()
    expect(rows['policy']?.ours.filter((name) => everything.indexOf(name) >= everything.indexOf('policy'))).toEqual([])
  })
})

describe('files', () => {
  test('no import cycle, type-only imports included', () => {
    const graph = new Map(
      packages
        .flatMap(shipped)
        .map((source) => [
          source.path,
          source.imports.filter((name) => name.startsWith('.')).map((name) => resolveRelative(source, name)),
        ]),
    )
    expect(findCycle(graph)).toBeUndefined()
  })

  test('node: modules stay behind the conditions', () => {
    const allowed = (pkg: Package, { path, isTest }: Source) =>
      isTest ||
      nodePackages.has(pkg.label) ||
      isProgram(pkg) ||
      /\.node\.ts$|\/src\/local-dev[./]/.test(path) ||
      nodeFiles.has(path)
    expect(complaints((pkg, source, name) => !name.startsWith('node:') || allowed(pkg, source))).toEqual([])
  })

  test('no file or folder has a name that says nothing', () => {
    const vague = /(^|\/)(utils?|helpers?|shared|common|misc|lib)(\.|\/|$)/
    expect(
      ['packages', 'examples', 'tests', 'scripts'].flatMap(entriesBelow).filter((path) => vague.test(path)),
    ).toEqual([])
  })

  test('the verifier holds no signing code, but behind the door of the broker ledger', () => {
    const signing =
      /\b(SignJWT|CompactSign|FlattenedSign|GeneralSign|EncryptJWT|generateKeyPair|generateSecret|importPKCS8|createSign|UnsecuredJWT|createHmac)\b|\.sign\(|local-dev/
    const verifier = packages.filter((pkg) => pkg.label === 'verifier')
    const sources = new Map(verifier.flatMap(shipped).map((source) => [source.path, source]))
    // An API without a store proves a key of its own to the broker; nobody else gets that code along.
    const doors = ['index', 'express', 'fastify', 'hono', 'ext-authz'].map((door) => `packages/verifier/src/${door}.ts`)
    const reached = new Set<string>()
    const visit = (path: string): void => {
      const source = sources.get(path)
      if (source === undefined || reached.has(path)) return
      reached.add(path)
      for (const name of source.imports.filter((name) => name.startsWith('.'))) visit(resolveRelative(source, name))
    }
    doors.forEach(visit)
    const guilty = [...sources.values()].filter(
      ({ path, text }) => signing.test(text) && (reached.has(path) || !path.includes('/src/broker-ledger/')),
    )
    expect(guilty.map((source) => source.path)).toEqual([])
    expect([...reached].filter((path) => path.includes('/src/broker-ledger/'))).toEqual([])
    expect(doors.filter((door) => !reached.has(door))).toEqual([])
  })
})

describe('the scanner itself', () => {
  test('sees every form of import and leaves comments alone', () => {
    const text = [
      "import a, { type B } from './a.js'",
      "import type { C } from './c.js'",
      "export * from './d.js'",
      "export {\n  e,\n} from './e.js'",
      "import './f.js'",
      "const g = await import('./g.js')",
      "let h: import('./h.js').H",
      "// import x from './no.js'",
      " * await import('./no.js')",
      "const text = 'from here'",
    ].join('\n')
    expect(importsOf(text).toSorted()).toEqual(['a', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => `./${name}.js`))
  })

  test('finds a cycle and passes a diamond', () => {
    expect(findCycle(new Map(Object.entries({ a: ['b'], b: ['c'], c: ['a'] })))).toEqual(['a', 'b', 'c', 'a'])
    expect(findCycle(new Map(Object.entries({ a: ['b', 'c'], b: ['d'], c: ['d'] })))).toBeUndefined()
  })
})
