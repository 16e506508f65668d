import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Failure } from '../command/failure.ts'
import { checkMembers } from './check-members.ts'
import type { HallpassConfig } from './define-config.ts'

export const CONFIG_NAME = 'hallpass.config.ts'

export interface LoadedConfig {
  readonly config: HallpassConfig
  readonly file: string
  readonly directory: string
}

/** Packages a configuration may use although its own project has not installed them: this command brings them along. */
const OURS = [
  '@hallpass/core',
  '@hallpass/core/local-dev',
  '@hallpass/core/file-trail',
  '@hallpass/policy',
  '@hallpass/broker',
  '@hallpass/client',
  '@hallpass/client/ai-sdk',
  '@hallpass/verifier',
  '@hallpass/verifier/broker-ledger',
  '@hallpass/verifier/express',
  '@hallpass/verifier/fastify',
  '@hallpass/verifier/hono',
  '@hallpass/sqlite',
  '@hallpass/redis',
  '@hallpass/postgres',
  '@hallpass/cli',
]

function lentPackages(file: string): Record<string, string> {
  const theirs = createRequire(file)
  const resolves = (name: string): boolean => {
    try {
      // A package without a "require" condition still resolves to "not exported", which means that it is there.
      theirs.resolve(name)
      return true
    } catch (error) {
      return (error as { code?: unknown }).code !== 'MODULE_NOT_FOUND'
    }
  }
  const missing = OURS.filter((name) => !resolves(name))
  const lent = missing.map((name) => [name, fileURLToPath(import.meta.resolve(name))] as const)
  // Catalogs are written with zod: the one that our own core uses.
  const zod = resolves('zod')
    ? []
    : [['zod', createRequire(import.meta.resolve('@hallpass/core')).resolve('zod')] as const]
  return Object.fromEntries([...lent, ...zod])
}

/** Runs a TypeScript or JavaScript file as it is, without a build. */
export async function importFile(file: string): Promise<Readonly<Record<string, unknown>>> {
  const { createJiti } = await import('jiti')
  const jiti = createJiti(pathToFileURL(file).href, { alias: lentPackages(file), moduleCache: false })
  return jiti.import(file)
}

/** Why a file did not load, with what to do where that is plain. */
export function whyNot(error: unknown): string {
  const { message, name } = error as Error
  const isUninstalled = /^Cannot find (module|package) ['"]?[^./]/.test(message)
  const what = `${name === 'Error' ? '' : `${name}: `}${isUninstalled ? message.split('\n')[0] : message}`
  return isUninstalled ? `${what}. Install what it uses with: npm install` : what
}

const missingFile = (file: string): Failure =>
  new Failure(`There is no configuration at ${file}. Write one with: hallpass init --dir ${dirname(file)}`)

/** Loads a configuration file; throws a `Failure` that says what to do when it is missing or broken. */
export async function loadConfig(path = CONFIG_NAME): Promise<LoadedConfig> {
  const file = resolve(path)
  if (!existsSync(file)) throw missingFile(file)
  let loaded: Readonly<Record<string, unknown>>
  try {
    loaded = await importFile(file)
  } catch (error) {
    throw new Failure(`${file} does not load: ${whyNot(error)}`)
  }
  const config = loaded['default']
  const isConfig = typeof config === 'object' && config !== null && 'issuer' in config && 'policy' in config
  if (!isConfig) {
    throw new Failure(`${file} has no default export of defineConfig({ issuer, policy, ... }) from '@hallpass/cli'`)
  }
  try {
    checkMembers(config)
  } catch (error) {
    throw error instanceof Failure ? new Failure(`${file}: ${error.message}`) : error
  }
  return { config: config as HallpassConfig, file, directory: dirname(file) }
}
