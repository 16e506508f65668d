import type { ActionDraft } from '../openapi/draft.ts'
import { quote } from '../source-text.ts'
import type { ProjectNames } from './config-source.ts'

const IMPORTS = [
  "import { readFileSync } from 'node:fs'",
  "import express from 'express'",
  "import { signedAssertion } from '@hallpass/client'",
  "import { createVerifier } from '@hallpass/verifier'",
  "import { brokerLedger } from '@hallpass/verifier/broker-ledger'",
  "import { checkRoutes, grantOf, requireGrant } from '@hallpass/verifier/express'",
  "import { api } from './catalog.ts'",
].join('\n')

/** `/orders/{id}` as Express writes it. */
const expressPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1')

const handlerSource = ({ name, method, path }: ActionDraft): string => `
app.${method.toLowerCase()}(${quote(expressPath(path))}, requireGrant(verifier, ${quote(name)}), (req, res) => {
  const grant = grantOf(verifier, ${quote(name)}, req)
  res.json({ done: grant.action, resource: grant.resource, by: grant.agent })
})
`

/** `api.ts`: every action behind its guard, with a handler to fill in. */
export const apiSource = (names: ProjectNames, port: number, actions: readonly ActionDraft[]): string => `${IMPORTS}

// The API proves who it is too: the broker counts uses for it and keeps its events.
const key = JSON.parse(readFileSync(new URL('./keys/${names.api}.jwk.json', import.meta.url), 'utf8'))
const issuer = ${quote(names.issuer)}
const ledger = brokerLedger({ issuer, identity: signedAssertion({ clientId: ${quote(names.api)}, key }) })
const verifier = createVerifier({ api, issuer, ledger, audit: ledger, publicUrl: 'http://127.0.0.1:${port}' })

const app = express()
${actions.map(handlerSource).join('')}
// Fails at start when a route has no guard, or the catalog has a route the server lacks.
checkRoutes(verifier, app)
app.listen(${port}, '127.0.0.1', (error) => {
  if (error) throw error
  console.log('The API answers at http://127.0.0.1:${port}')
})
`
