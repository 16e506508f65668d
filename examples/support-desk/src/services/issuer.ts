import Provider from 'oidc-provider'
import { newJwks } from '../desk/new-key.ts'
import { readSetup, ready } from '../desk/setup.ts'

/** The workload's own identity provider: a real OpenID provider that knows nothing of Hallpass. */
const setup = await readSetup()
const signingKey = { ...newJwks().privateJwk, kid: 'issuer-1', alg: 'ES256', use: 'sig' }

const provider = new Provider(setup.issuer, {
  jwks: { keys: [signingKey] },
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  clients: [
    {
      client_id: 'support-bot-workload',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [setup.publicKeys['support-bot']] },
    },
  ],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => setup.broker,
      getResourceServerInfo: (_context: unknown, resource: string) => ({
        scope: '',
        audience: resource,
        accessTokenTTL: 120,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
})

provider.listen(Number(new URL(setup.issuer).port), '127.0.0.1', ready)
