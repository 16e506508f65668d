/** The system's word for what went wrong, such as ENOSPC; never the message, which may hold more than it should. */
export function systemCode(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : 'an error'
}
