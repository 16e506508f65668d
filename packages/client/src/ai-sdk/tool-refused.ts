import type { Refusal } from '../outcome/refusal.ts'

/**
 * Thrown inside the AI SDK for a guarded tool that may not run: the SDK reports it to the model as a failed tool, and
 * the tool's own type of result stays what it was. The message is the refusal's, which a model may read.
 */
export class ToolRefused extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(refusal.message)
    this.name = 'ToolRefused'
    this.refusal = refusal
  }
}
