import { comment, memberName, quote } from '../source-text.ts'
import type { ActionDraft, CatalogDraft } from './draft.ts'

const indented = (lines: readonly string[], by: number): string[] => lines.map((line) => `${' '.repeat(by)}${line}`)

function parametersSource({ parameters }: ActionDraft): readonly string[] {
  if (parameters.length === 0) return []
  const members = parameters.map(
    ({ name, source, isRequired }) => `${memberName(name)}: ${source}${isRequired ? '' : '.optional()'},`,
  )
  return ['parameters: z.object({', ...indented(members, 2), '}),']
}

function actionSource(action: ActionDraft): readonly string[] {
  const { name, method, path, resource, risk, title, notes } = action
  return [
    ...notes.map((note) => comment(`CHECK: ${note}`)),
    `${memberName(name)}: {`,
    ...indented(
      [
        `route: ${quote(`${method} ${path}`)},`,
        `resource: ${quote(resource)},`,
        `risk: ${quote(risk)},`,
        ...(title === undefined ? [] : [`title: ${quote(title)},`]),
        ...parametersSource(action),
      ],
      2,
    ),
    '},',
  ]
}

/** The TypeScript text of a drafted catalog. Texts of the document are literals and comments in it, never code. */
export function catalogSource(catalog: CatalogDraft, { isDrafted }: { readonly isDrafted: boolean }): string {
  const { audience, title, actions, leftOut, notes } = catalog
  const sources = actions.flatMap(({ parameters }) => parameters.map(({ source }) => source)).join(' ')
  const core = sources.includes('decimal(') ? 'decimal, defineApi' : 'defineApi'
  const usesZod = actions.some(({ parameters }) => parameters.length > 0)
  return [
    `import { ${core} } from '@hallpass/core'`,
    ...(usesZod ? ["import { z } from 'zod'"] : []),
    '',
    isDrafted
      ? '// Drafted from an OpenAPI document: look at every line marked CHECK. Who may do what is decided in the policy.'
      : '// What the API can do. Who may do it is decided in the policy.',
    ...notes.map((note) => comment(`CHECK: ${note}`)),
    ...leftOut.map((line) => comment(`LEFT OUT: ${line}`)),
    'export const api = defineApi({',
    `  audience: ${quote(audience)},`,
    ...(title === undefined ? [] : [`  title: ${quote(title)},`]),
    '  actions: {',
    ...indented(actions.flatMap(actionSource), 4),
    '  },',
    '})',
    '',
  ].join('\n')
}
