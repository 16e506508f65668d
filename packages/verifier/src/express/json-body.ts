import type { RefusalReason } from '@hallpass/core'
import { parseStrictJson } from '@hallpass/core'
import type { Request, RequestHandler } from 'express'
import { keepRawBody } from '../node-http/raw-bodies.ts'
import { announcesBody, nodeBodyReader } from '../node-http/read-node-body.ts'
import { writeAnswer } from '../node-http/write-answer.ts'
import { plainProblem } from '../refusal/answers.ts'
import { isJson } from '../request/json-body.ts'

export interface JsonBodyOptions {
  /** Longest body read; default 1 MiB. */
  readonly limitBytes?: number
  /** How long a body may take to arrive; default 30 000 ms. */
  readonly timeoutMs?: number
}

const MEBIBYTE = 1024 * 1024
const HALF_A_MINUTE_MS = 30_000

/**
 * Parses JSON bodies for a whole app, in the place of `express.json()`, and keeps the raw bytes for the guards behind
 * it. Strict: duplicate members, content encodings and what is not I-JSON are refused. Other types are left alone.
 * A guard parses the bytes again: what stands between them may change `req.body`, and never what is checked.
 */
export function jsonBody({
  limitBytes = MEBIBYTE,
  timeoutMs = HALF_A_MINUTE_MS,
}: JsonBodyOptions = {}): RequestHandler {
  return function hallpassJsonBody(req, res, next) {
    if (!announcesBody(req) || req.readableDidRead || !isJson(req.headers['content-type'])) {
      next()
      return
    }
    void read()
    async function read(): Promise<void> {
      try {
        const refusal = await readJson(req, limitBytes, timeoutMs)
        if (refusal === undefined) next()
        else writeAnswer(res, plainProblem(refusal))
      } catch (error) {
        next(error)
      }
    }
  }
}

async function readJson(req: Request, limitBytes: number, timeoutMs: number): Promise<RefusalReason | undefined> {
  if ((req.headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') return 'body-unsupported'
  const body = await nodeBodyReader(req)(limitBytes, timeoutMs)
  if (!body.ok) return body.reason
  if (body.value === undefined) return undefined
  const parsed = parseStrictJson(body.value)
  if (!parsed.ok) return 'request-malformed'
  keepRawBody(req, body.value)
  req.body = parsed.value
  return undefined
}
