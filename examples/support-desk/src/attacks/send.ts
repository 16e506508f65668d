import { request } from 'node:http'
import { makeProof, type Answer, type Key, type ProofOptions } from './workload.ts'

export interface Shot {
  readonly method: string
  /** Origin the socket goes to. */
  readonly origin: string
  /** Request target exactly as it stands on the request line; by default the path. */
  readonly target?: string
  readonly path: string
  readonly token?: string
  readonly proof?: string
  readonly body?: string
  readonly headers?: Record<string, string>
}

/** Sends the request byte for byte as told: fetch would tidy up what an attack needs untidy. */
export const send = (shot: Shot): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(shot.origin)
    const outgoing = request(
      {
        hostname,
        port,
        method: shot.method,
        path: shot.target ?? shot.path,
        headers: {
          ...(shot.token === undefined ? {} : { authorization: `DPoP ${shot.token}` }),
          ...(shot.proof === undefined ? {} : { dpop: shot.proof }),
          ...(shot.body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(shot.body)) }),
          ...shot.headers,
        },
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          resolve({ status: incoming.statusCode ?? 0, body: parseBody(text) })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(shot.body)
  })

const parseBody = (text: string): Record<string, unknown> => {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return { text }
  }
}

/** An honest call: the proof is for exactly what is sent. */
export const call = async (key: Key, shot: Omit<Shot, 'proof'>, proof: Partial<ProofOptions> = {}): Promise<Answer> => {
  const [path = '', query] = shot.path.split('?')
  return send({
    ...shot,
    proof: await makeProof(key, {
      method: shot.method,
      url: `${shot.origin}${path}`,
      ...(shot.token === undefined ? {} : { token: shot.token }),
      ...(shot.body === undefined ? {} : { body: shot.body }),
      ...(query === undefined ? {} : { query }),
      ...proof,
    }),
  })
}

/** `201`, or `403 not-granted`: the status and the problem's own word. */
export const told = (answer: Answer): string => {
  const type = answer.body['type'] ?? answer.body['error']
  return typeof type === 'string'
    ? `${answer.status} ${type.replace('urn:hallpass:problem:', '')}`
    : String(answer.status)
}
