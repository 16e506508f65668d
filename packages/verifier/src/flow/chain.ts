import type { MaybePromise } from '@hallpass/core'
import { isPromise } from '@hallpass/core'

/** Goes on at once when the value is there, later when it is a promise: a flow of sync parts stays sync. */
export const chain = <T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> =>
  isPromise(value) ? value.then(next) : next(value)
