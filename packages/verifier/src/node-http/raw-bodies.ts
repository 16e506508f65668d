/** Raw bytes of bodies that a parser of ours read before the guard; forgotten with their request. */
const rawBodies = new WeakMap<object, Uint8Array>()

export const keepRawBody = (request: object, body: Uint8Array): void => void rawBodies.set(request, body)

export const rawBodyOf = (request: object): Uint8Array | undefined => rawBodies.get(request)
