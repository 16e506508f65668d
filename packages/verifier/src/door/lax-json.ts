/** What the app would have read of a body by itself, while refusals change no answer. */
export function laxJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown
  } catch {
    return undefined
  }
}
