import type { Document, Node } from './node.ts'
import { isNode, listOf, nodesOf, textOf } from './node.ts'
import type { ActionDraft, CatalogDraft, ParameterDraft } from './draft.ts'
import { guessName, guessRoute, nameFrom, overlaps, riskOf } from './route-guess.ts'
import { membersOf, placeIn, schemaSource } from './schema-source.ts'

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete'] as const
const IN_QUERY = new Set(['GET', 'HEAD', 'DELETE'])
const RISKS = new Set(['read', 'write', 'critical'])
const PARAMETER_NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/
const PLACEHOLDER = 'https://api.example'

interface Found {
  readonly parameters: readonly ParameterDraft[]
  readonly notes: readonly string[]
}

/** A reason to leave the operation out. */
type LeftOut = string

interface Operation {
  readonly method: string
  readonly path: string
  readonly node: Node
  /** Parameters of the path and of the operation, references resolved. */
  readonly declared: readonly Node[]
}

function operationsOf({ root, resolve }: Document): readonly Operation[] {
  const paths = root['paths'] as Node
  return Object.entries(paths).flatMap(([path, value]) => {
    const item = resolve(value)
    if (item === undefined) return []
    return METHODS.flatMap((method): readonly Operation[] => {
      const node = item[method]
      if (!isNode(node)) return []
      const all = [...listOf(item['parameters']), ...listOf(node['parameters'])]
      const declared = all.map(resolve).filter((one) => one !== undefined)
      return [{ method: method.toUpperCase(), path, node, declared }]
    })
  })
}

function queryOf({ declared, method }: Operation, document: Document): Found {
  const query = new Map(declared.filter((one) => one['in'] === 'query').map((one) => [textOf(one['name']) ?? '', one]))
  const notes =
    IN_QUERY.has(method) || query.size === 0 ? [] : ['has parameters in the query besides a body; they are text there']
  const others = new Set(
    declared.flatMap((one) => (one['in'] === 'header' || one['in'] === 'cookie' ? [textOf(one['name']) ?? ''] : [])),
  )
  if (others.size > 0) notes.push(`has headers or cookies (${[...others].join(', ')}), which no grant covers`)
  const parameters = [...query].flatMap(([name, one]): readonly ParameterDraft[] => {
    if (!PARAMETER_NAME.test(name)) {
      notes.push(
        `has a query parameter ${JSON.stringify(name)} that no parameter can be named; requests with it are refused`,
      )
      return []
    }
    const schema = schemaSource(one['schema'] ?? {}, placeIn(document, 'text'))
    return [{ name, isRequired: one['required'] === true, ...schema }]
  })
  return { parameters, notes }
}

function bodyOf({ node, method }: Operation, document: Document): Found | LeftOut {
  const body = document.resolve(node['requestBody'])
  if (body === undefined) return { parameters: [], notes: [] }
  if (IN_QUERY.has(method)) return { parameters: [], notes: ['has a body, which this method does not carry'] }
  const content = isNode(body['content']) ? body['content'] : {}
  const type = Object.keys(content).find((name) => /^application\/([\w.+-]+\+)?json\b/i.test(name))
  if (type === undefined)
    return `its body is ${Object.keys(content).join(' or ') || 'of no type'}, and Hallpass binds JSON`
  const media = content[type]
  const schema = document.resolve(isNode(media) ? media['schema'] : undefined)
  if (schema === undefined)
    return { parameters: [], notes: ['has a body without a schema: no member of it passes until you name it'] }
  const { members, notes } = membersOf(schema, placeIn(document, 'json'))
  const isObject = members.length > 0 || isNode(schema['properties']) || schema['type'] === 'object'
  if (!isObject) return 'its body is not one JSON object with named members'
  const isBodyRequired = body['required'] === true
  const parameters = members.map((member) => ({ ...member, isRequired: member.isRequired && isBodyRequired }))
  return { parameters, notes }
}

function draftAction(operation: Operation, document: Document): ActionDraft | LeftOut {
  const { method, node } = operation
  const route = guessRoute(operation.path)
  if (typeof route === 'string') return route
  const body = bodyOf(operation, document)
  if (typeof body === 'string') return body
  const query = queryOf(operation, document)
  const inRoute = new Set(route.parameters.map(({ name }) => name))
  const all = [...query.parameters, ...body.parameters]
  const names = all.map(({ name }) => name)
  const twice = names.find((name, n) => inRoute.has(name) || names.indexOf(name) !== n)
  if (twice !== undefined) return `\`${twice}\` comes from two places at once; rename one`
  const ownRisk = textOf(node['x-hallpass-risk'])
  const risk = ownRisk !== undefined && RISKS.has(ownRisk) ? (ownRisk as ActionDraft['risk']) : riskOf(method)
  const title = textOf(node['summary'])
  const mark = all.flatMap(({ name, notes }) => notes.map((note) => `\`${name}\` ${note}`))
  return {
    name: nameFrom(textOf(node['operationId'])) ?? guessName(method, route),
    method,
    path: route.path,
    resource: route.resource,
    risk,
    ...(title !== undefined && { title }),
    parameters: all,
    notes: [
      ...route.notes,
      ...query.notes,
      ...body.notes,
      ...mark,
      ...(ownRisk === undefined && method === 'POST'
        ? ['risk is write because it is a POST; raise it to critical, or lower it if it only reads']
        : []),
    ],
  }
}

function audienceOf(root: Node): { readonly audience: string; readonly notes: readonly string[] } {
  const url = textOf(nodesOf(root['servers'])[0]?.['url'])?.replace(/\/$/, '')
  const isUsable = url !== undefined && /^https?:\/\/[^\s\\?#{}]+$/.test(url) && URL.canParse(url)
  if (isUsable && new URL(url).username === '' && new URL(url).password === '') return { audience: url, notes: [] }
  return {
    audience: PLACEHOLDER,
    notes: ['the document names no absolute server URL, so the audience is a placeholder'],
  }
}

/** Drafts a catalog from an OpenAPI 3 document; whatever had to be guessed or left out is in its notes. */
export function draftCatalog(document: Document): CatalogDraft {
  const actions: ActionDraft[] = []
  const leftOut: string[] = []
  for (const operation of operationsOf(document)) {
    const made = draftAction(operation, document)
    const label = `${operation.method} ${operation.path}`
    if (typeof made === 'string') {
      leftOut.push(`${label}: ${made}`)
      continue
    }
    const same = actions.find((action) => action.method === made.method && overlaps(action.path, made.path))
    if (same !== undefined) {
      leftOut.push(`${label}: a request for it could also be one for ${same.method} ${same.path}`)
      continue
    }
    const isTaken = actions.some(({ name }) => name === made.name)
    const name = isTaken ? `${made.name}.${actions.length + 1}` : made.name
    const notes = isTaken ? [...made.notes, `the name ${made.name} was taken`] : made.notes
    actions.push({ ...made, name, notes })
  }
  const title = isNode(document.root['info']) ? textOf(document.root['info']['title']) : undefined
  return { ...audienceOf(document.root), ...(title !== undefined && { title }), actions, leftOut }
}
