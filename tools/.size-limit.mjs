// What a bundle of one door weighs, minified and compressed with brotli, everything it needs inside but the frameworks.
// Limits lie a little above what it is today: whoever needs more raises one here, and says why in the commit.

const bundle = (platform) => (config) => ({
  ...config,
  format: 'esm',
  target: 'es2023',
  platform,
  splitting: true,
  logLevel: 'error',
})
const server = bundle('node')
const browser = bundle('browser')

const door = (name, doors, limit, modifyEsbuildConfig) => ({
  name,
  path: doors.map((file) => `../packages/${file}.js`),
  limit,
  ignore: ['express', 'fastify', 'hono', 'ai'],
  modifyEsbuildConfig,
})

export default [
  door('core on Node', ['core/dist/index'], '118 kB', server),
  door('core on the web', ['core/dist/index'], '120 kB', browser),
  door('verifier, fetch on Node', ['verifier/dist/index'], '35 kB', server),
  door('verifier, fetch on the web', ['verifier/dist/index'], '37 kB', browser),
  door('verifier, Express', ['verifier/dist/index', 'verifier/dist/express'], '39 kB', server),
  door('verifier, Fastify', ['verifier/dist/index', 'verifier/dist/fastify'], '39 kB', server),
  door('client on Node', ['client/dist/index'], '29 kB', server),
  door('client on the web', ['client/dist/index'], '31 kB', browser),
  door('client with the AI SDK', ['client/dist/index', 'client/dist/ai-sdk'], '33 kB', server),
]
