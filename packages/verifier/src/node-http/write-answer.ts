import type { Answer } from '../refusal/answer.ts'
import type { NodeResponse } from './node-message.ts'

/** Writes an answer out. */
export function writeAnswer(response: NodeResponse, { status, headers, body }: Answer): void {
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  if (leavesBodyUnread(status) && !isHttp2(response)) response.setHeader('connection', 'close')
  ;(response.end as (this: NodeResponse, body?: string) => void).call(response, body)
}

/** After a body that was too large or too slow the connection closes: nobody reads the rest of it. */
export const leavesBodyUnread = (status: number): boolean => status === 413 || status === 408

/** HTTP/2 has no such field, and ends the stream instead. */
export const isHttp2 = ({ stream }: { readonly stream?: unknown }): boolean => stream !== undefined
