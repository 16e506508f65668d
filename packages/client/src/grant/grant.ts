import type { GrantView } from './held-grant.ts'

/**
 * A grant in hand. It sends requests, and that is all: the token cannot be read, printed, cloned or serialised.
 */
export interface Grant extends GrantView {
  /**
   * Sends one request with this grant and a fresh proof.
   *
   * The request must be the one the grant is for: a call of its action below the audience's base URL, redirects not
   * followed. Anything else is answered without being sent, as `Task.fetch` answers.
   */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
  toJSON(): GrantView
  toString(): string
}
