import type { JsonValue, Risk } from '@hallpass/core'

/** What is written for one value: TypeScript text, a value that fits it, and what a person has to look at. */
export interface SchemaDraft {
  readonly source: string
  readonly example: JsonValue
  readonly notes: readonly string[]
}

export interface ParameterDraft extends SchemaDraft {
  readonly name: string
  readonly isRequired: boolean
}

export interface ActionDraft {
  readonly name: string
  readonly method: string
  /** With Hallpass parameter names. */
  readonly path: string
  readonly resource: string
  readonly risk: Risk
  readonly title?: string
  readonly parameters: readonly ParameterDraft[]
  /** What could not be decided. */
  readonly notes: readonly string[]
}

export interface CatalogDraft {
  readonly audience: string
  readonly title?: string
  readonly actions: readonly ActionDraft[]
  /** Operations that are not in the catalog, and why. */
  readonly leftOut: readonly string[]
  readonly notes: readonly string[]
}
