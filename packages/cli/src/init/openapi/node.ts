/** Any object of an OpenAPI document; nothing about it is known. */
export type Node = Readonly<Record<string, unknown>>

export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
export const nodesOf = (value: unknown): readonly Node[] => listOf(value).filter(isNode)

/** An OpenAPI 3 document and what its references lead to. */
export interface Document {
  readonly root: Node
  /** What this is, or what its `$ref` leads to inside the document; undefined for a reference that leads nowhere. */
  readonly resolve: (value: unknown) => Node | undefined
}
