/** What this package uses of Node's `IncomingMessage`, so that no door needs Node's own types. */
export interface NodeRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly rawHeaders: readonly string[]
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly httpVersionMajor: number
  readonly readableDidRead: boolean
  /** Nothing more comes, or not all of it ever will. */
  readonly destroyed?: boolean
  /** HTTP/2 only. */
  readonly stream?: { readonly endAfterHeaders?: boolean }
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown
  on(event: 'end' | 'close' | 'error', listener: () => void): unknown
  removeListener(event: string, listener: (...values: never[]) => void): unknown
  pause(): unknown
}

/** What this package uses of Node's `ServerResponse`. */
export interface NodeResponse {
  /** HTTP/2 only. */
  readonly stream?: unknown
  statusCode: number
  readonly headersSent: boolean
  readonly writableEnded: boolean
  readonly writableFinished: boolean
  setHeader(name: string, value: string): unknown
  getHeader(name: string): string | number | readonly string[] | undefined
  write: unknown
  writeHead: unknown
  end: unknown
  on(event: 'finish' | 'close', listener: () => void): unknown
}
