/** Whether a path that stands before an action's own is plain text: no parameter, no wildcard, no pattern. */
export const isFixedPath = (path: string): boolean => path === '' || /^(?:\/[A-Za-z0-9._~-]+)+$/.test(path)
