import type { Attempt } from './attempt.ts'
import type { Form } from './form.ts'

/** A request to an OAuth endpoint as plain data, whatever door it came through. */
export interface OAuthRequest {
  readonly form: Form
  /** Default `POST`. */
  readonly method?: 'GET'
  /** Value of the `DPoP` header. */
  readonly proof?: string
  /** Value of the `Authorization` header. */
  readonly authorization?: string
  /** Raw bytes of the body, for a proof that covers them. */
  readonly body?: Uint8Array
  /** What is learnt about it on the way, for the event that records how it went. */
  readonly attempt: Attempt
}
