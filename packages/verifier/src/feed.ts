export { feed } from './revocation/feed/feed.ts'
export type { FeedObservation, FeedOptions, FeedStatus, RevocationFeed } from './revocation/feed/feed.ts'
