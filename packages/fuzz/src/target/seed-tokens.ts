import type { JsonObject } from '@hallpass/core'
import { KEYS } from '../keys.ts'
import type { Vocabulary } from '../mutate/json-value.ts'

export const NOW = 1_800_000_000
export const ISSUER = 'https://broker.example'
export const AUDIENCE = 'https://orders.example'

const common = {
  iss: ISSUER,
  sub: 'support-bot',
  client_id: 'support-bot',
  iat: NOW - 10,
  exp: NOW + 50,
  jti: 'gr_AAAAAAAAAAAAAAAAAAAAAA',
  txn: 'tsk_AAAAAAAAAAAAAAAAAAAAAA',
  cnf: { jkt: KEYS.holder.jkt },
  'urn:hallpass:policy': { version: '1', digest: 'abc' },
  'urn:hallpass:path': { tasks: ['tsk_AAAAAAAAAAAAAAAAAAAAAA'], agents: ['support-bot'], owner: 'team:support' },
}

const entry = {
  type: 'urn:hallpass:tool-call',
  locations: [AUDIENCE],
  actions: ['refund.create'],
  identifier: 'order:1',
  parameter_digest: `sha-256:${'A'.repeat(43)}`,
  limits: [
    { id: 'calls', per: 'grant', max: 1 },
    { id: 'total', per: 'task', max: 8000, parameter: 'amount', scale: 2, unit: 'EUR' },
    { id: 'hourly', per: 'agent', max: 10, window_seconds: 3600 },
  ],
}
const { parameter_digest: _digest, ...constrained } = entry
const grant = {
  ...common,
  aud: AUDIENCE,
  authorization_details: [entry],
  status: { status_list: { idx: 7, uri: 'https://broker.example/status/1' } },
}

export const GRANT: readonly JsonObject[] = [
  grant,
  { ...grant, sub: 'user-1', act: { sub: 'support-bot', iss: ISSUER }, nbf: NOW - 10, scope: 'admin' },
  {
    ...grant,
    authorization_details: [
      {
        ...constrained,
        identifier: 'order:*',
        constraints: {
          amount: { min: '0.01', max: '50.00' },
          currency: { equals: 'EUR' },
          reason: { one_of: ['a', { b: [1] }], optional: true },
          path: { prefix: '/home/' },
          note: { any: true, optional: true },
        },
      },
    ],
  },
]

export const TASK_TOKEN: readonly JsonObject[] = [
  {
    ...common,
    aud: ISSUER,
    exp: NOW + 800,
    authorization_details: [{ type: 'urn:hallpass:task', purpose: 'support-ticket' }],
    'urn:hallpass:identity': { iss: 'https://idp.example', sub: 'x', jkt: KEYS.holder.jkt },
  },
  {
    ...common,
    aud: ISSUER,
    exp: NOW + 800,
    authorization_details: [
      {
        type: 'urn:hallpass:task',
        purpose: 'support-ticket',
        note: 'ticket 7',
        ceiling: { actions: ['refund.create'], resources: ['order:*'] },
        deadline: NOW + 3600,
      },
    ],
    'urn:hallpass:identity': { iss: 'https://idp.example', sub: 'x', claims: { env: 'prod' } },
  },
]

/** Claims and values of every kind of token, also of those a token is not. */
export const WORDS: Vocabulary = {
  now: NOW,
  names: [
    'iss',
    'sub',
    'aud',
    'exp',
    'nbf',
    'iat',
    'jti',
    'txn',
    'client_id',
    'act',
    'may_act',
    'cnf',
    'jkt',
    'x5t#S256',
    'scope',
    'status',
    'status_list',
    'authorization_details',
    'parameter_digest',
    'constraints',
    'limits',
    'approval',
    'optional',
    'regex',
    'min',
    'max',
    'any',
    'note',
    'ceiling',
    'deadline',
    'per',
    'htm',
    'htu',
    'ath',
    'nonce',
  ],
  values: [
    ISSUER,
    AUDIENCE,
    `${AUDIENCE}/`,
    'https://evil.example',
    'user-1',
    'support-bot',
    NOW,
    NOW + 50,
    NOW - 1,
    1e15,
    { jkt: KEYS.stranger.jkt },
    { sub: 'support-bot', iss: ISSUER },
    [AUDIENCE],
    [AUDIENCE, 'https://evil.example'],
    'order:*',
    '*',
    'order:',
    ':1',
    '1e3',
    '50',
    '-0',
    '1.10',
    { any: true },
    { min: '1', max: '2', any: true },
    { equals: 1, one_of: [1] },
    { max: 50 },
    { max: '5e1' },
    { id: 'calls', per: 'grant', max: 1 },
    { id: 'x', per: 'agent', max: 1 },
    { id: 'x', per: 'task', max: 1, scale: 2 },
  ],
}
