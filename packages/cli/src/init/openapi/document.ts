import { readFileSync, statSync } from 'node:fs'
import { parse } from 'yaml'
import { Failure } from '../../command/failure.ts'
import type { Document, Node } from './node.ts'
import { isNode, textOf } from './node.ts'

const MAX_BYTES = 10 * 1024 * 1024
const MAX_REFERENCES = 32

const unescaped = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~')

function follow(root: Node, reference: string): unknown {
  if (!reference.startsWith('#/')) return undefined
  let at: unknown = root
  for (const part of reference.slice(2).split('/')) {
    const name = unescaped(part)
    at = isNode(at) && Object.hasOwn(at, name) ? at[name] : undefined
  }
  return at
}

/** Reads an OpenAPI 3 document, JSON or YAML. */
export function readDocument(file: string): Document {
  const stat = statSync(file, { throwIfNoEntry: false })
  if (!stat?.isFile()) throw new Failure(`There is no OpenAPI document at ${file}`)
  if (stat.size > MAX_BYTES)
    throw new Failure(`${file} is larger than ${MAX_BYTES / 1024 / 1024} MiB; cut it down to the API that agents use`)
  let root: unknown
  try {
    root = parse(readFileSync(file, 'utf8'), { maxAliasCount: 1000 })
  } catch (error) {
    throw new Failure(`${file} is neither JSON nor YAML: ${(error as Error).message.split('\n')[0]}`)
  }
  if (!isNode(root) || !(textOf(root['openapi'])?.startsWith('3.') ?? false) || !isNode(root['paths'])) {
    throw new Failure(`${file} is no OpenAPI 3 document: it needs "openapi: 3.x" and "paths"`)
  }
  const document = root
  return {
    root: document,
    resolve(value) {
      let at = value
      for (let step = 0; step < MAX_REFERENCES; step++) {
        if (!isNode(at)) return undefined
        const reference = textOf(at['$ref'])
        if (reference === undefined) return at
        at = follow(document, reference)
      }
      return undefined
    },
  }
}
