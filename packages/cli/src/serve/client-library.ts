import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Failure } from '../command/failure.ts'

interface Wanted {
  /** Any of these will do; the first that is installed is taken. */
  readonly names: readonly string[]
  /** What it is needed for. */
  readonly purpose: string
}

export interface Library {
  readonly name: string
  readonly exports: Readonly<Record<string, unknown>>
}

function pathOf(name: string, from: string): string | undefined {
  try {
    return createRequire(from).resolve(name)
  } catch {
    return undefined
  }
}

/**
 * A database client of the user's own project, or one that lies beside this command. Throws a `Failure` that says what
 * to install when there is none.
 */
export async function clientLibrary(configFile: string, { names, purpose }: Wanted): Promise<Library> {
  for (const from of [configFile, import.meta.url]) {
    for (const name of names) {
      const path = pathOf(name, from)
      if (path === undefined) continue
      const loaded = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>
      const { default: main } = loaded
      // What CommonJS exports is in the default export, and only sometimes beside it.
      const inner = typeof main === 'object' || typeof main === 'function' ? (main as Record<string, unknown>) : {}
      return { name, exports: { ...inner, ...loaded } }
    }
  }
  const [first, ...others] = names
  const or = others.length === 0 ? '' : ` (or ${others.join(', ')})`
  throw new Failure(`${purpose} needs a client library that is not installed: npm install ${first}${or}`)
}
