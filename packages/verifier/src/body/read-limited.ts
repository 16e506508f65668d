/**
 * Reads the body of a request or response, of at most `limitBytes`.
 * @param late where it aborts, the rest is dropped unread, and this throws.
 * @returns undefined where there is more: what is too large is dropped unread.
 */
export async function readLimited(
  message: Request | Response,
  limitBytes: number,
  late?: AbortSignal,
): Promise<Uint8Array | undefined> {
  const declared = Number(message.headers.get('content-length') ?? 0)
  if (message.body === null) return new Uint8Array()
  if (declared > limitBytes) {
    await message.body.cancel()
    return undefined
  }
  const reader = message.body.getReader()
  late?.addEventListener('abort', () => void reader.cancel().catch(() => undefined))
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (late?.aborted === true) throw new Error('The body did not arrive in time')
    if (done) return joined(chunks, size)
    size += value.byteLength
    if (size > limitBytes) {
      await reader.cancel()
      return undefined
    }
    chunks.push(value)
  }
}

/** Lays chunks behind each other; one chunk is handed back as it is. */
export function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const [first] = chunks
  if (chunks.length === 1 && first !== undefined) return first
  const all = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    all.set(chunk, offset)
    offset += chunk.byteLength
  }
  return all
}
