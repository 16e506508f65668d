import { ok } from '@hallpass/core'
import type { Form } from '../http/form.ts'
import { reject, type Step } from '../http/refusal.ts'

/** The caller's own name for a call, which joins its events: 1 to 128 visible ASCII characters. */
export function callIdOf(form: Form): Step<string | undefined> {
  const id = form.get('call_id')
  if (id === undefined || /^[\x21-\x7e]{1,128}$/.test(id)) return ok(id)
  return reject('invalid_request', { reason: 'request-invalid', detail: 'call_id' })
}
