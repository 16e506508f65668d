import type { Action, Api, JsonObject } from '@hallpass/core'

/** One HTTP request as it will be sent, credential aside. */
export interface PlannedRequest {
  readonly method: string
  /** Absolute, without query and fragment; below the audience's base URL. */
  readonly url: string
  /** Raw, without `?`. */
  readonly query: string | undefined
  readonly body: string | Uint8Array | undefined
  readonly headers: Headers
}

/** What a grant must cover. */
export interface WantedCall {
  readonly action: Action
  readonly audience: string
  readonly resource: string
  readonly parameters: JsonObject
}

/** What a call over HTTP needs: the ask that the grant must cover, and the request that it is for. */
export interface CallPlan extends WantedCall {
  readonly request: PlannedRequest
}

/** An audience and the URL it is reached at. */
export interface Place {
  readonly api: Api
  readonly baseUrl: string
}
