import type { RefusalReason, Refused } from '@hallpass/core'
import { isRefusalReason, refuse } from '@hallpass/core'
import { unavailable } from '../shard/trouble.ts'

/** `N reason`, then on lines of their own what to say of it and which limit it was. */
export function refusalOf(answer: string): Refused<RefusalReason> & { readonly limit?: string } {
  const [reason = '', detail = '', limit = ''] = answer.slice(2).split('\n')
  if (!isRefusalReason(reason)) throw unavailable('answered what no script of the ledger answers')
  const refused = detail === '' ? refuse(reason) : refuse(reason, detail)
  return limit === '' ? refused : { ...refused, limit }
}

export function textOf(answer: unknown): string {
  if (typeof answer !== 'string') throw unavailable('answered what no script of the ledger answers')
  return answer
}

export function listOf(answer: unknown): readonly unknown[] {
  if (!Array.isArray(answer)) throw unavailable('answered what no script of the ledger answers')
  return answer
}

/** Fields and values in turn, as HGETALL answers a script. */
export function fieldsOf(answer: unknown): ReadonlyMap<string, string> {
  const flat = listOf(answer)
  const fields = new Map<string, string>()
  for (let index = 0; index + 1 < flat.length; index += 2) fields.set(String(flat[index]), String(flat[index + 1]))
  return fields
}
