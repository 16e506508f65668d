import type { Answer } from '../refusal/answer.ts'
import type { NodeResponse } from './node-message.ts'

/** Writes an answer out. After a body that was refused for its size the connection closes: the rest of it is not read. */
export function writeAnswer(response: NodeResponse, { status, headers, body }: Answer): void {
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  if (status === 413) response.setHeader('connection', 'close')
  ;(response.end as (this: NodeResponse, body?: string) => void).call(response, body)
}
