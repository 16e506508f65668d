import { existsSync, readFileSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
}

/** What installing a package puts on the disk: itself and everything it depends on, peers left out. */
export interface InstalledSize {
  readonly packages: number
  readonly kibibytes: number
}

/** Adds up a package and its dependencies, each once, wherever Node would find them. */
export function installedSize(folder: string): InstalledSize {
  const seen = new Map<string, number>()
  const visit = (at: string): void => {
    if (seen.has(at)) return
    seen.set(at, bytesIn(at))
    const { dependencies = {} } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')) as Manifest
    for (const name of Object.keys(dependencies)) visit(find(name, at))
  }
  visit(realpathSync(folder))
  return { packages: seen.size, kibibytes: Math.round([...seen.values()].reduce((sum, one) => sum + one, 0) / 1024) }
}

function find(name: string, from: string): string {
  for (let at = from; ; at = dirname(at)) {
    const candidate = join(at, 'node_modules', name)
    if (existsSync(candidate)) return realpathSync(candidate)
    if (at === dirname(at)) throw new Error(`The package ${name} is not installed.`)
  }
}

/** As published: of a package of this repository that is its manifest, what was built, and its sources. */
function bytesIn(folder: string): number {
  const isOurs = existsSync(join(folder, 'tsconfig.json'))
  let bytes = 0
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const inside = relative(folder, path)
    if (!entry.isFile() || inside.startsWith('node_modules')) continue
    if (isOurs && !isPublished(inside)) continue
    bytes += statSync(path).size
  }
  return bytes
}

const isPublished = (path: string): boolean =>
  path === 'package.json' ||
  (/^(?:dist|src)\//.test(path) && !/\.(?:test|test-d)\.ts$/.test(path) && !path.endsWith('.tsbuildinfo'))
