/** All that the ledger asks of a client: one script, routed by its keys, which are always in one slot. */
export interface RedisConnection {
  readonly isCluster: boolean
  evalsha(sha: string, keys: readonly string[], args: readonly string[]): Promise<unknown>
  eval(text: string, keys: readonly string[], args: readonly string[]): Promise<unknown>
  /** Calls `wake` for each message; returns what ends that. Throws nothing: a connection that fails is silent. */
  subscribe(channel: string, wake: () => void): () => void
}

/** What ioredis and iovalkey have in common, single or cluster. */
export interface IoredisLike {
  readonly isCluster?: boolean
  evalsha(sha: string, keys: number, ...keysAndArgs: string[]): Promise<unknown>
  eval(text: string, keys: number, ...keysAndArgs: string[]): Promise<unknown>
}

/** What the clients and clusters of node-redis (5 and later) have in common. */
export interface NodeRedisLike {
  readonly isOpen?: boolean
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  eval(text: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
}
