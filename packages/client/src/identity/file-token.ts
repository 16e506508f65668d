import type { TokenSource } from '@hallpass/core'
import { HallpassError, MAX_ASSERTION_BYTES } from '@hallpass/core'
import { checkClientId } from './check-client-id.ts'

/**
 * Identity by a token that a platform writes into a file and replaces before it expires, such as a Kubernetes projected
 * service account token with the broker as its audience. Read anew every time.
 *
 * @throws `HallpassError` with `configuration-invalid` on a runtime without files.
 */
export function fileToken(options: {
  readonly clientId: string
  readonly path: string
  readonly type?: TokenSource['type']
}): TokenSource {
  const { clientId, path, type = 'jwt-bearer' } = options
  checkClientId(clientId)
  // Asked of the runtime instead of imported, so that the client runs where there are no files.
  const files = globalThis.process?.getBuiltinModule?.('node:fs/promises')
  if (files === undefined || typeof path !== 'string' || path === '') {
    throw new HallpassError('configuration-invalid', 'fileToken() needs the path of a file, and a runtime with files')
  }
  return {
    type,
    clientId,
    async assertion() {
      const text = await files.readFile(path, 'utf8').catch(() => '')
      const token = text.trim()
      if (token !== '' && token.length <= MAX_ASSERTION_BYTES) return token
      throw new HallpassError('identity-unavailable', `There is no token in ${path}`)
    },
  }
}
