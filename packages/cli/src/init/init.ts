import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { printable } from '@hallpass/core'
import type { Command } from '../command/command.ts'
import { Failure } from '../command/failure.ts'
import { newKeyPair, writePrivately } from '../keys/key-file.ts'
import { createKeyRing } from '../keys/key-ring.ts'
import { draftCatalog } from './openapi/draft-catalog.ts'
import type { CatalogDraft } from './openapi/draft.ts'
import type { ProjectKeys } from './project.ts'
import { namesFor, projectFiles } from './project.ts'
import { IGNORED } from './templates/project-source.ts'

const KEY_DIRECTORY = 'keys/broker'

async function draftFrom(file: string): Promise<CatalogDraft> {
  const { readDocument } = await import('./openapi/document.ts')
  const draft = draftCatalog(readDocument(resolve(file)))
  if (draft.actions.length > 0) return draft
  const why = draft.leftOut.slice(0, 10).map((line) => `\n  ${printable(line)}`)
  throw new Failure(
    `Nothing in ${file} can be an action: each needs a path with a parameter that names a resource${why.join('')}`,
  )
}

/** Adds what is missing, and keeps what is there. */
function ignoreInGit(directory: string): void {
  const file = join(directory, '.gitignore')
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const there = new Set(text.split('\n').map((line) => line.trim()))
  const missing = IGNORED.filter((line) => !there.has(line))
  if (missing.length === 0) return
  appendFileSync(file, `${text === '' || text.endsWith('\n') ? '' : '\n'}${missing.join('\n')}\n`)
}

/** What a person has to look at, for stdout: the same that is marked in the catalog. */
function toCheck({ notes, actions, leftOut }: CatalogDraft): readonly string[] {
  return [
    ...notes,
    ...actions.flatMap((action) => action.notes.map((note) => `${action.name}: ${note}`)),
    ...leftOut.map((line) => `left out ${line}`),
  ].map((line) => printable(line))
}

export const initCommand: Command = {
  name: 'init',
  summary: 'Write a working configuration with keys, a policy, an agent and an API',
  options: {
    dir: { type: 'string', value: 'DIRECTORY', help: 'Where; default here' },
    'from-openapi': {
      type: 'string',
      value: 'FILE',
      help: 'Draft the catalog from an OpenAPI 3 document, JSON or YAML',
    },
  },
  notes: 'Writes nothing over what is there. A drafted catalog marks with CHECK what it had to guess.',
  async run(args, output) {
    const directory = resolve(args.text('dir') ?? '.')
    const source = args.text('from-openapi')
    const draft = source === undefined ? undefined : await draftFrom(source)
    const names = namesFor(draft)
    const keys: ProjectKeys = { agent: newKeyPair(), api: newKeyPair(), operator: newKeyPair() }
    const keyFiles = (['agent', 'api', 'operator'] as const).map((role) => ({
      name: `keys/${names[role]}.jwk.json`,
      text: `${JSON.stringify(keys[role].privateJwk, null, 2)}\n`,
    }))
    const files = projectFiles(draft, keys)
    const needed = [...files.filter(({ isOptional }) => isOptional !== true), ...keyFiles].map(({ name }) => name)
    const there = [...needed, KEY_DIRECTORY].filter((name) => existsSync(join(directory, name)))
    if (there.length > 0) {
      throw new Failure(
        `${directory} has ${there.join(', ')} already, and nothing is written over it. Choose another place with --dir`,
      )
    }

    mkdirSync(directory, { recursive: true })
    // Before the keys: there is no moment in which git could take them.
    ignoreInGit(directory)
    createKeyRing(join(directory, KEY_DIRECTORY))
    for (const { name, text } of keyFiles) writePrivately(join(directory, name), text, { isNew: true })
    const written = files.filter(({ name, isOptional }) => isOptional !== true || !existsSync(join(directory, name)))
    for (const { name, text } of written) writeFileSync(join(directory, name), text, { flag: 'wx' })

    const check = draft === undefined ? [] : toCheck(draft)
    const all = [...written.map(({ name }) => name), KEY_DIRECTORY, ...keyFiles.map(({ name }) => name), '.gitignore']
    output.result({ ok: true, directory, files: all, check })
    const here = relative(process.cwd(), directory)
    output.say(`Written to ${directory}:\n  ${all.join('\n  ')}`)
    if (check.length > 0) output.say(`\nLook at these, marked CHECK in catalog.ts:\n  ${check.join('\n  ')}`)
    output.say(
      [
        '\nNext:',
        ...(here === '' ? [] : [`  cd ${here}`]),
        '  npm install',
        '  npx hallpass dev',
        '  npx hallpass run api.ts',
        '  npx hallpass run agent.ts',
      ].join('\n'),
    )
    return 0
  },
}
