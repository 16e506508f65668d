/** Source text of a function, as the runtime gives it. */
export const sourceText = (value: unknown): string | undefined =>
  typeof value === 'function' ? Function.prototype.toString.call(value) : undefined

/** Whether a function hides its source: bound and native ones do. */
export const isOpaque = (value: unknown): boolean => sourceText(value)?.endsWith('{ [native code] }') === true
