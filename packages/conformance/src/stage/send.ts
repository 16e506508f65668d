import { Agent, request } from 'node:http'

export interface RawRequest {
  readonly method?: string
  /** The request target exactly as it goes on the wire. */
  readonly target: string
  /** Name, value, name, value: repeated fields stay repeated. */
  readonly headers?: readonly string[]
  readonly body?: string | undefined
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly json: Readonly<Record<string, unknown>>
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 })

/** Sends bytes to loopback with nothing tidied up on the way. */
export const send = (port: number, { method = 'GET', target, headers = [], body }: RawRequest): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const length = body === undefined ? [] : ['content-length', String(Buffer.byteLength(body))]
    const fields = ['host', `127.0.0.1:${port}`, ...headers, ...length]
    const sent = request({ host: '127.0.0.1', port, method, path: target, headers: fields, agent }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: read(text) })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })

const read = (text: string): Record<string, unknown> => {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}
