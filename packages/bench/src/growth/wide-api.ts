import { defineApi } from '@hallpass/core'
import { z } from 'zod'
import { AUDIENCE } from '../world/orders-api.ts'

export const parameterName = (index: number): string => `p${index + 1}`

/** An API whose only action takes a text of any length, and so many parameters beside it. */
export const wideApi = (parameters: number) =>
  defineApi({
    audience: AUDIENCE,
    actions: {
      'note.write': {
        route: 'POST /orders/{id}/notes',
        resource: 'order:{id}',
        risk: 'write',
        parameters: z.object({
          text: z.string().optional(),
          ...Object.fromEntries(Array.from({ length: parameters }, (_, index) => [parameterName(index), z.string()])),
        }),
      },
    },
  })
