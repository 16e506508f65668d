import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { TokenSource } from '@hallpass/core'
import type { Policy } from '@hallpass/policy'
import { localDev } from '@hallpass/core/local-dev'
import type { Arguments, Option } from '../command/command.ts'
import { Failure, misused } from '../command/failure.ts'
import { CONFIG_NAME, loadConfig } from '../config/load-config.ts'
import { readPrivateJwk } from '../keys/key-file.ts'
import { isLoopback, isSecure } from '../serve/loopback.ts'
import { keyIdentity } from './operator-token.ts'

export const OPERATOR_OPTIONS: Readonly<Record<string, Option>> = {
  issuer: {
    type: 'string',
    value: 'URL',
    help: 'The broker; default $HALLPASS_ISSUER, or the issuer of the configuration',
  },
  config: { type: 'string', value: 'FILE', help: `Configuration to read the issuer from; default ${CONFIG_NAME}` },
  as: { type: 'string', value: 'ID', help: 'Operator id; default operator' },
  key: {
    type: 'string',
    value: 'FILE',
    help: 'Private key of the operator; default $HALLPASS_OPERATOR_KEY, or keys/ID.jwk.json',
  },
}

export interface Operator {
  readonly issuer: string
  /** The policy of the configuration that was read, where one was. */
  readonly policy?: Policy
  readonly identity: TokenSource
}

const trimmed = (issuer: string): string => issuer.replace(/\/$/, '')

/** Which broker is meant, and who asks. */
export async function operatorFrom(args: Arguments): Promise<Operator> {
  const configFile = resolve(args.text('config') ?? CONFIG_NAME)
  const named = args.text('issuer') ?? process.env['HALLPASS_ISSUER']
  const config = named === undefined ? (await loadConfig(configFile)).config : undefined
  const issuer = trimmed(named ?? config?.issuer ?? '')
  if (!isSecure(issuer)) throw misused(`The issuer ${issuer} must be an https URL, or http on this machine`)
  const identity = operatorIdentity(args, issuer, configFile)
  return config === undefined ? { issuer, identity } : { issuer, identity, policy: config.policy }
}

function operatorIdentity(args: Arguments, issuer: string, configFile: string): TokenSource {
  const id = args.text('as') ?? 'operator'
  const key = args.text('key') ?? process.env['HALLPASS_OPERATOR_KEY']
  if (key !== undefined) return keyIdentity(id, readPrivateJwk(resolve(key)))
  const beside = dirname(configFile)
  const own = join(beside, 'keys', `${id}.jwk.json`)
  if (existsSync(own)) return keyIdentity(id, readPrivateJwk(own))
  const directory = join(beside, '.hallpass', 'identities')
  if (isLoopback(issuer) && existsSync(join(directory, `${id}.key.pem`))) {
    return localDev(id, { audience: issuer, directory })
  }
  throw new Failure(
    `There is no key of the operator "${id}": give --key FILE. A new one is made with: hallpass keys generate --workload ${id}, ` +
      'and its public half goes under `operators` in the configuration',
  )
}
