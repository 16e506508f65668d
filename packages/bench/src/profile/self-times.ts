import type { Profiler } from 'node:inspector'

/** Processor time spent in one function itself, callees not included. */
export interface SelfTime {
  readonly name: string
  /** File and line, without folders. */
  readonly where: string
  /** Part of all that was counted, 0 to 1. */
  readonly share: number
}

/** Where the time of a profile went, the most first; whatever ran inside a function named `leftOut` does not count. */
export function selfTimes(profile: Profiler.Profile, leftOut: string): SelfTime[] {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const counts = new Map<string, { readonly name: string; readonly where: string; samples: number }>()
  let all = 0
  const visit = (id: number): void => {
    const node = nodes.get(id)
    if (node === undefined || node.callFrame.functionName === leftOut) return
    const { functionName, url, lineNumber } = node.callFrame
    if (functionName !== '(idle)') {
      const name = functionName === '' ? '(anonymous)' : functionName
      const where = url === '' ? '' : `${url.slice(url.lastIndexOf('/') + 1)}:${lineNumber + 1}`
      const key = `${name} ${where}`
      const count = counts.get(key) ?? { name, where, samples: 0 }
      count.samples += node.hitCount ?? 0
      all += node.hitCount ?? 0
      counts.set(key, count)
    }
    for (const child of node.children ?? []) visit(child)
  }
  const [root] = profile.nodes
  if (root !== undefined) visit(root.id)
  return [...counts.values()]
    .sort((one, other) => other.samples - one.samples)
    .map(({ name, where, samples }) => ({ name, where, share: all === 0 ? 0 : samples / all }))
}
