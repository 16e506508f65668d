import { readFileSync } from 'node:fs'
import type * as biscuit from '@biscuit-auth/biscuit-wasm'

type Biscuit = typeof biscuit

/** The part of its generated glue that its own entry calls, before it exports the rest. */
interface Glue extends Biscuit {
  __wbg_set_wasm(exports: WebAssembly.Exports): void
}

/**
 * Loads biscuit-wasm without its entry, which imports a `.wasm` file as a module: bundlers do that, and Node 20 only
 * behind a flag.
 */
export async function loadBiscuit(): Promise<Biscuit> {
  const folder = new URL('.', import.meta.resolve('@biscuit-auth/biscuit-wasm'))
  const load = async (path: string): Promise<unknown> => import(new URL(path, folder).href)
  const glue = (await load('biscuit_bg.js')) as Glue
  const module = await WebAssembly.compile(readFileSync(new URL('biscuit_bg.wasm', folder)))
  const imports: WebAssembly.Imports = {}
  for (const { module: path } of WebAssembly.Module.imports(module)) {
    imports[path] ??= (await load(path)) as WebAssembly.ModuleImports
  }
  const { exports } = await WebAssembly.instantiate(module, imports)
  glue.__wbg_set_wasm(exports)
  silently(exports['__wbindgen_start'] as () => void)
  return glue
}

/** The peer greets on stdout as it starts, where our JSON stands. */
function silently(start: () => void): void {
  const { log } = console
  console.log = () => undefined
  try {
    start()
  } finally {
    console.log = log
  }
}
