import type { ApiSet } from '@hallpass/core'
import type { Refusal } from '../outcome/refusal.ts'
import type { TaskOptions } from '../task/task-options.ts'
import type { Task, TaskRefused } from '../task/task.ts'

/** Something to look at: a callback that returned nothing would let a refused task pass unnoticed. */
export type Something = object | string | number | boolean | bigint | symbol | null

/** What an agent holds: its key, and the tasks that are open. It holds no privilege. */
export interface Client<S extends ApiSet = ApiSet, Purpose extends string = string> {
  /**
   * Opens a task, runs `work` in it and ends it: returned is completed, thrown is failed (and thrown again), an aborted
   * `signal` is cancelled.
   *
   * @param work returns something, so that the result must be looked at before a refused opening passes for done.
   * @returns what `work` returned; or a `Refusal`, `ok: false`, when the task was not opened and `work` never ran.
   * @throws what `work` threw; the reason of `signal` when it was aborted.
   */
  task<T extends Something>(options: TaskOptions<Purpose>, work: (task: Task<S>) => Promise<T>): Promise<T | Refusal>

  /**
   * Opens a task to end by hand, best with `await using`: disposed without `complete()` it is abandoned.
   *
   * @returns the task; or a `TaskRefused`, `ok: false`, that has none of a task's methods.
   */
  openTask(options: TaskOptions<Purpose>): Promise<Task<S> | TaskRefused>

  /** Cancels every open task. Call it when the process is asked to stop. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
