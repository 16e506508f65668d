import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { defineConfig } from 'tsup'

type Target = string | { [condition: string]: Target }
interface Manifest {
  exports?: Record<string, Target>
  imports?: Record<string, Target>
  bin?: Record<string, string>
}

/** Every built file that a manifest promises, as paths relative to the package. */
function promisedFiles(target: Target): string[] {
  return typeof target === 'string' ? [target] : Object.values(target).flatMap(promisedFiles)
}

function entries(folder: string): Record<string, string> {
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as Manifest
  const built = [manifest.exports ?? {}, manifest.imports ?? {}, manifest.bin ?? {}].flatMap(promisedFiles)
  const names = built.flatMap((file) => /^\.\/dist\/(.+)\.js$/.exec(file)?.[1] ?? [])
  if (existsSync(`${folder}/src/main.ts`)) names.push('main')
  return Object.fromEntries(names.map((name) => [name, `${folder}/src/${name}.ts`]))
}

const folders = ['packages', 'examples'].flatMap((root) => readdirSync(root).map((name) => `${root}/${name}`))

// JavaScript only: `tsc -b` writes the declarations into the same folders.
export default defineConfig(
  folders
    .filter((folder) => existsSync(`${folder}/package.json`))
    .map((folder) => ({
      name: folder,
      entry: entries(folder),
      outDir: `${folder}/dist`,
      tsconfig: `${folder}/tsconfig.json`,
      format: 'esm',
      target: 'es2023',
      platform: 'neutral',
      dts: false,
      splitting: true,
      sourcemap: true,
      clean: false,
      silent: true,
      skipNodeModulesBundle: true,
      external: [/^#/, /^node:/],
    })),
)
