import { expectTypeOf, test } from 'vitest'
import type * as node from './crypto.node.ts'
import type * as web from './crypto.web.ts'

test('what runs on the web fits where what runs on Node is typed', () => {
  expectTypeOf<typeof web>().toExtend<typeof node>()
  expectTypeOf<keyof typeof web>().toEqualTypeOf<keyof typeof node>()
})
