import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

interface Manifest {
  name: string
  private?: boolean
  exports?: Record<string, unknown>
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
}

export interface Source {
  /** Path from the root, with forward slashes. */
  path: string
  text: string
  isTest: boolean
  imports: string[]
}

export interface Package {
  /** `core` for `packages/core`, `examples/support-desk` for an example. */
  label: string
  folder: string
  manifest: Manifest
  sources: Source[]
}

const statement = /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])([^'"\n]+)\1/gm
const bare = /^\s*import\s*(['"])([^'"\n]+)\1/gm
const dynamic = /^(?!\s*(?:\/\/|\*)).*?\bimport\s*\(\s*(['"])([^'"\n]+)\1/gm

/** Every module a source names: static, re-exported, for side effects, dynamic, and type-only all count. */
export function importsOf(text: string): string[] {
  const found = [statement, bare, dynamic].flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => match[2] ?? ''),
  )
  return [...new Set(found)]
}

function walk(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (name === 'node_modules' || name === 'dist') return []
    return statSync(path).isDirectory() ? [path, ...walk(path)] : [path]
  })
}

const fromRoot = (path: string) => relative(root, path).replaceAll('\\', '/')

/** Files and folders below a folder of the repository, as paths from the root. */
export function entriesBelow(folder: string): string[] {
  return existsSync(join(root, folder)) ? walk(join(root, folder)).map(fromRoot) : []
}

function readPackage(folder: string): Package {
  const sources = entriesBelow(`${folder}/src`)
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8')
      return { path, text, isTest: /\.test(-d)?\.ts$/.test(path), imports: importsOf(text) }
    })
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest
  return { label: folder.replace(/^packages\//, ''), folder, manifest, sources }
}

export function allPackages(): Package[] {
  return ['packages', 'examples']
    .flatMap((parent) => readdirSync(join(root, parent)).map((name) => `${parent}/${name}`))
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map(readPackage)
}

/** The path a relative import leads to, as it stands in the sources. */
export function resolveRelative(from: Source, specifier: string): string {
  return fromRoot(resolve(root, dirname(from.path), specifier)).replace(/\.js$/, '.ts')
}

/** The first cycle in a graph, as the nodes on it, or nothing. */
export function findCycle(graph: Map<string, string[]>): string[] | undefined {
  const done = new Set<string>()
  const visit = (node: string, trail: string[]): string[] | undefined => {
    const seen = trail.indexOf(node)
    if (seen >= 0) return [...trail.slice(seen), node]
    if (done.has(node)) return undefined
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next, [...trail, node])
      if (cycle) return cycle
    }
    done.add(node)
    return undefined
  }
  for (const node of graph.keys()) {
    const cycle = visit(node, [])
    if (cycle) return cycle
  }
  return undefined
}
