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

const door = (name, { of, limit, on }) => ({
  name,
  path: of.map((file) => `../packages/${file}.js`),
  limit,
  ignore: ['express', 'fastify', 'hono', 'ai'],
  modifyEsbuildConfig: on,
})

const [core, verifier, client] = ['core/dist/index', 'verifier/dist/index', 'client/dist/index']

export default [
  door('core on Node', { of: [core], limit: '118 kB', on: server }),
  door('core on the web', { of: [core], limit: '120 kB', on: browser }),
  door('verifier, fetch on Node', { of: [verifier], limit: '35 kB', on: server }),
  door('verifier, fetch on the web', { of: [verifier], limit: '37 kB', on: browser }),
  door('verifier, Express', { of: [verifier, 'verifier/dist/express'], limit: '39 kB', on: server }),
  door('verifier, Fastify', { of: [verifier, 'verifier/dist/fastify'], limit: '41 kB', on: server }),
  door('client on Node', { of: [client], limit: '30 kB', on: server }),
  door('client on the web', { of: [client], limit: '32 kB', on: browser }),
  door('client with the AI SDK', { of: [client, 'client/dist/ai-sdk'], limit: '33 kB', on: server }),
]
