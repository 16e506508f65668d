import { ok, refuse, type Result } from '@hallpass/core'

export const MAX_FORM_BYTES = 64 * 1024
export const MAX_JSON_BYTES = 1024 * 1024

type BodyReason = 'body-too-large' | 'body-unsupported' | 'request-malformed'

/**
 * Reads a request's raw bytes, no more than `maxBytes`, if its content type is `contentType`.
 * Compressed bodies are refused: the proof is over the bytes as sent.
 */
export async function readBody(
  request: Request,
  expect: { readonly contentType: string; readonly maxBytes: number },
): Promise<Result<Uint8Array, BodyReason>> {
  if (!isType(request.headers.get('content-type'), expect.contentType))
    return refuse('body-unsupported', 'content type')
  if (request.headers.has('content-encoding')) return refuse('body-unsupported', 'content encoding')
  if (Number(request.headers.get('content-length') ?? 0) > expect.maxBytes) return refuse('body-too-large')
  if (request.body === null) return ok(new Uint8Array())
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = request.body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return ok(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks))
      size += value.byteLength
      if (size > expect.maxBytes) {
        await reader.cancel()
        return refuse('body-too-large')
      }
      chunks.push(value)
    }
  } catch {
    return refuse('request-malformed', 'the body broke off')
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The bytes as text, or a refusal when they are not UTF-8. */
export function textOf(bytes: Uint8Array): Result<string, 'request-malformed'> {
  try {
    return ok(UTF8.decode(bytes))
  } catch {
    return refuse('request-malformed', 'the body is not UTF-8')
  }
}

/** Exactly this media type, with no parameter but `charset=utf-8`. */
function isType(header: string | null, expected: string): boolean {
  const [type, ...parameters] = (header ?? '').split(';').map((part) => part.trim().toLowerCase())
  return type === expected && parameters.every((parameter) => /^charset="?utf-8"?$/.test(parameter))
}
