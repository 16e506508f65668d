import { ok, refuse, type JsonObject, type MaybePromise, type Result } from '@hallpass/core'

/** Loads what is known of an agent's state right now, such as its image digest or its host's health. */
export type PostureSource = (agent: {
  readonly id: string
  readonly iss: string
  readonly sub: string
}) => MaybePromise<JsonObject>

export type Posture = (agent: Parameters<PostureSource>[0]) => Promise<Result<JsonObject, 'policy-failed'>>

const TIMEOUT_MS = 1000

/** The source with a timeout; a source that fails or is late means the request is refused, never decided without it. */
export function boundedPosture(source: PostureSource): Posture {
  return async (agent) => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('timeout')), TIMEOUT_MS)
    })
    try {
      return ok(await Promise.race([source(agent), late]))
    } catch {
      return refuse('policy-failed', 'the posture of the agent could not be had')
    } finally {
      clearTimeout(timer)
    }
  }
}
