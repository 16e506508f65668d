// Bundles what ships, as a user would: no bundle is larger than its limit in tools/.size-limit.mjs, and a verifier's
// holds nothing that could sign.
import { readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { note, root, runTool } from './workspace.mjs'

/** Doors of the verifier that prove a key of their own to the broker. Nobody else gets that code along. */
const PROVING = ['./broker-ledger', './forwarding-trail', './feed']

const FRAMEWORKS = ['express', 'fastify', 'hono']

/** Whatever makes a signature, or the key for one. */
const SIGNING = [
  /\b(SignJWT|CompactSign|FlattenedSign|GeneralSign|EncryptJWT|UnsecuredJWT)\b/g,
  /\b(createSign|createPrivateKey|generateKeyPair|generateKeyPairSync|generateKey|generateSecret|importPKCS8)\b/g,
  /\bcreateHmac\b/g,
  /\.sign\(|\bsignSync\(|\["sign"|\['sign'/g,
  /local-dev|not-for-production/g,
]

/** The one keyed digest: of parameters in the trail, by a key that opens nothing. */
const KEYED_DIGEST = /function hmacSha256Base64url\(key, data\) \{[^{}]*\bcreateHmac\("sha256", key\)[^{}]*\}/g

/** Sources that have no business in a verifier. */
const FOREIGN = [/packages\/(client|broker|cli|testing)\//, /\/local-dev\.js$/, /\/node_modules\/jose\//]

export async function checkBundles() {
  const oversize = await runTool('size-limit', [], { from: 'tools', cwd: join(root, 'tools') })
  const guilty = await signingDoors()
  for (const line of guilty) note(line)
  return oversize === 0 && guilty.length === 0 ? 0 : 1
}

async function signingDoors() {
  const { exports } = JSON.parse(readFileSync(join(root, 'packages/verifier/package.json'), 'utf8'))
  const all = Object.entries(exports).filter(([, target]) => typeof target === 'object')
  const quiet = all.filter(([door]) => !PROVING.includes(door)).map(([door, target]) => [door, target.default])
  const lines = []
  for (const platform of ['node', 'browser']) {
    // Doors that need Node's modules are no use in a browser, and do not bundle for one.
    for (const [door, file] of platform === 'node' ? quiet : quiet.filter(([name]) => name === '.')) {
      const found = await signingIn(file, platform)
      lines.push(...found.map((what) => `@hallpass/verifier, door ${door}, for ${platform}: ${what}`))
    }
  }
  // A search that finds nothing where there is something proves nothing.
  const proving = await signingIn(exports['./broker-ledger'].default, 'node')
  if (proving.length === 0) lines.push('The search for signing code misses it in the door that has it')
  return lines
}

async function signingIn(file, platform) {
  const { code, inputs } = await bundle(file, platform)
  const text = code.replaceAll(KEYED_DIGEST, '')
  const words = SIGNING.flatMap((pattern) => [...text.matchAll(pattern)].map(([word]) => `has ${word}`))
  const sources = inputs.filter((input) => FOREIGN.some((pattern) => pattern.test(input)))
  return [...new Set([...words, ...sources.map((input) => `takes in ${input}`)])]
}

/** Names stay as they are and comments go: what is searched is the code that would run. */
async function bundle(file, platform) {
  const home = realpathSync(join(root, 'tools/node_modules/@size-limit/esbuild/package.json'))
  const { outputFiles, metafile } = await createRequire(home)('esbuild').build({
    entryPoints: [join(root, 'packages/verifier', file)],
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2023',
    platform,
    legalComments: 'none',
    logLevel: 'error',
    external: FRAMEWORKS,
  })
  const [{ inputs }] = Object.values(metafile.outputs)
  const taken = Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  return { code: withoutComments(outputFiles[0].text), inputs: taken.map(([path]) => path) }
}

/** esbuild puts one line before each source it took in; the others are documentation of exports. */
const withoutComments = (code) => code.replaceAll(/^\s*\/\/.*$/gm, '').replaceAll(/^\s*\/\*\*[^]*?\*\//gm, '')
