/** Lines as the bytes of a file, each with its line break: written one by one, since joining them copies them twice more. */
export function lineBytes(lines: readonly string[]): Uint8Array {
  let length = lines.length
  for (const line of lines) length += Buffer.byteLength(line)
  const bytes = Buffer.allocUnsafe(length)
  let at = 0
  for (const line of lines) {
    at += bytes.write(line, at)
    bytes[at] = 10
    at += 1
  }
  return bytes
}
