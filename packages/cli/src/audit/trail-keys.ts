import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { JwkSet } from '@hallpass/core'
import { Failure, misused } from '../command/failure.ts'
import { readKeyRing, trailKeysOf } from '../keys/key-ring.ts'
import { isSecure } from '../serve/loopback.ts'

const FETCH_TIMEOUT_MS = 10_000

function keySet(text: string, where: string): JwkSet {
  try {
    const set = JSON.parse(text) as Partial<JwkSet>
    if (Array.isArray(set.keys)) return set as JwkSet
  } catch {
    // Said below.
  }
  throw new Failure(`${where} is not a JWK set: it needs a member "keys"`)
}

async function fetched(url: string): Promise<JwkSet> {
  if (!isSecure(url))
    throw misused('--keys takes an https URL: keys that were changed on the way would vouch for anything')
  let response: Response
  try {
    response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) })
  } catch {
    throw new Failure(`${url} does not answer. Give a key directory or a JWK set in a file instead`)
  }
  if (!response.ok)
    throw new Failure(`${url} answered ${response.status}; a broker's keys are at its issuer plus /jwks`)
  return keySet(await response.text(), url)
}

/** Public keys for a trail's checkpoints: a key directory, a JWK set in a file, or the URL of one. */
export async function trailKeys(where: string): Promise<JwkSet> {
  if (/^https?:\/\//.test(where)) return fetched(where)
  const path = resolve(where)
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw new Failure(`--keys: there is nothing at ${path}`)
  return stat.isDirectory() ? trailKeysOf(readKeyRing(path)) : keySet(readFileSync(path, 'utf8'), path)
}

/** The keys `hallpass dev` and `hallpass init` leave beside a trail, if they are there. */
export function keysBeside(trail: string): JwkSet | undefined {
  const places = ['keys/broker', 'keys'].map((place) => join(dirname(resolve(trail)), place))
  const found = places.find((place) => existsSync(join(place, 'ring.json')))
  return found === undefined ? undefined : trailKeysOf(readKeyRing(found))
}
