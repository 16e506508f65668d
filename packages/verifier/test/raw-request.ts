import { request } from 'node:http'

export interface RawRequest {
  readonly method?: string
  /** The request target, exactly as it goes on the wire. */
  readonly target?: string
  /** Name, value, name, value: repeated fields stay repeated. */
  readonly headers?: readonly string[]
  readonly body?: string | Uint8Array | undefined
  /** Sends the body in chunks without a length. */
  readonly chunked?: boolean
  /** The headers name the host themselves. */
  readonly ownHost?: boolean
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly json: Record<string, unknown>
}

/** Sends bytes to a loopback server, with nothing normalised on the way. */
export async function sendRaw(
  port: number,
  { method = 'GET', target = '/', headers = [], body, chunked, ownHost }: RawRequest,
): Promise<Reply> {
  const length = body === undefined || chunked === true ? [] : ['content-length', String(Buffer.byteLength(body))]
  const framing = chunked === true ? ['transfer-encoding', 'chunked'] : length
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path: target,
        headers: [...(ownHost === true ? [] : ['host', `127.0.0.1:${port}`]), ...headers, ...framing],
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text) })
        })
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}
