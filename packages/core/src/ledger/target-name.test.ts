import { expect, test } from 'vitest'
import type { RevocationTarget } from './ledger.ts'
import { targetName } from './target-name.ts'

test('targetName() gives each target a name of its own', () => {
  const targets: readonly RevocationTarget[] = [
    { kind: 'grant', jti: 'a' },
    { kind: 'task', txn: 'a' },
    { kind: 'agent', clientId: 'a' },
    { kind: 'agent', clientId: 'b' },
    { kind: 'owner', owner: 'a' },
    { kind: 'policy-version', version: 'a' },
    { kind: 'action', audience: 'a', action: 'b' },
    { kind: 'action', audience: 'a","b', action: '' },
    { kind: 'action', audience: 'b', action: 'a' },
    { kind: 'everything' },
  ]
  expect(new Set(targets.map(targetName)).size).toBe(targets.length)
})
