import type { Action, Api, ApiSet } from './api.ts'

const isList = (set: ApiSet): set is readonly Api[] => Array.isArray(set)

/** The APIs of a set, one or several. */
export const apisOf = (set: ApiSet): readonly Api[] => (isList(set) ? set : [set])

/** The action of that exact name, or undefined. */
export function findAction(set: ApiSet, name: string): Action | undefined {
  for (const api of apisOf(set)) {
    if (Object.hasOwn(api.actions, name)) return api.actions[name]
  }
  return undefined
}
