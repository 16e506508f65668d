/**
 * For values that are put together member by member: on the path of every grant, a spread per optional member is what
 * costs most after the signatures.
 */
export type Writable<T> = { -readonly [K in keyof T]: T[K] }
