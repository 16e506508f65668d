import type { CatalogDraft } from '../openapi/draft.ts'

export const API_PORT = 8711
export const API_URL = `http://127.0.0.1:${API_PORT}`

/** The catalog of a project that starts without an OpenAPI document. */
export const sampleCatalog: CatalogDraft = {
  audience: API_URL,
  title: 'Orders',
  leftOut: [],
  notes: [],
  actions: [
    {
      name: 'order.read',
      method: 'GET',
      path: '/orders/{id}',
      resource: 'order:{id}',
      risk: 'read',
      title: 'Read an order',
      parameters: [],
      notes: [],
    },
    {
      name: 'refund.create',
      method: 'POST',
      path: '/orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      title: 'Refund part of an order',
      parameters: [
        { name: 'amount', source: "decimal({ unit: 'EUR' })", example: '42.00', isRequired: true, notes: [] },
        {
          name: 'reason',
          source: "z.enum(['damaged', 'late', 'goodwill'])",
          example: 'late',
          isRequired: true,
          notes: [],
        },
      ],
      notes: [],
    },
  ],
}
