import type { MaybePromise } from '@hallpass/core'
import { isPromise } from '@hallpass/core'

/** Goes on at once when the value is there, later when it is a promise: a flow of sync parts stays sync. */
export const chain = <T, U>(value: MaybePromise<T>, proceed: (value: T) => MaybePromise<U>): MaybePromise<U> =>
  isPromise(value) ? value.then(proceed) : proceed(value)
