export type { FileTrail, FileTrailOptions } from './audit/file-trail.node.ts'
export { fileTrail } from './audit/file-trail.node.ts'
export { readTrail } from './audit/read-trail.node.ts'
