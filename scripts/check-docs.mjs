// Holds the documentation to its word. Every ```ts fence in README.md and docs/ must compile; those marked
// ```ts run are executed; ```ts continue goes on where the fence before it, in the same page, stopped.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { note, root, tool } from './workspace.mjs'

const work = join(root, '.tmp/docs')

function pages() {
  const docs = existsSync(join(root, 'docs')) ? readdirSync(join(root, 'docs'), { recursive: true }) : []
  const readmes = readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`)
  const found = [
    'README.md',
    'CONTRIBUTING.md',
    ...readmes,
    ...docs.map((name) => `docs/${name.replaceAll('\\', '/')}`),
  ]
  return found.filter((name) => name.endsWith('.md') && existsSync(join(root, name)))
}

/** The snippets of a page. Each keeps its lines where the page has them, so that errors carry the page's numbers. */
function snippetsOf(markdown) {
  const snippets = []
  let fence
  for (const [index, line] of markdown.split(/\r?\n/).entries()) {
    const mark = /^(\s*)(`{3,})(.*)$/.exec(line)
    if (fence === undefined && mark) fence = open(snippets, mark, index)
    else if (mark && mark[3].trim() === '' && mark[2].length >= fence?.ticks) fence = undefined
    else if (fence?.snippet) fence.snippet.lines[index] = line.slice(fence.indent)
  }
  return snippets.map(({ lines, ...rest }) => ({
    ...rest,
    code: Array.from(lines, (line) => line ?? '').join('\n') + '\n',
  }))
}

function open(snippets, [, indent, ticks, info], index) {
  const [language, ...words] = info.trim().split(/\s+/)
  const fence = { ticks: ticks.length, indent: indent.length }
  if (language !== 'ts') return fence
  const before = snippets.at(-1)
  if (words.includes('continue') && before) {
    before.run ||= words.includes('run')
    return { ...fence, snippet: before }
  }
  const snippet = { line: index + 1, run: words.includes('run'), lines: [] }
  snippets.push(snippet)
  return { ...fence, snippet }
}

const fileOf = ({ page, line }) => `${page.replaceAll('/', '__')}__${line}.ts`

/** `docs__api.md__12.ts(14,3)` -> `docs/api.md:14:3` */
function toPage(text) {
  const place = /(?:\S*\/)?(\S+?\.md)__\d+\.(?:ts|js)(?:[(:](\d+)[,:](\d+)\)?)?/g
  return text.replace(place, (...found) => {
    const [, page, ...position] = found.slice(0, 4)
    return [page.replaceAll('__', '/'), ...position].filter(Boolean).join(':')
  })
}

const node = (args, options = {}) =>
  spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 60_000, ...options })

export function checkDocs() {
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  const snippets = pages().flatMap((page) =>
    snippetsOf(readFileSync(join(root, page), 'utf8')).map((snippet) => ({ ...snippet, page })),
  )
  if (snippets.length === 0) return Promise.resolve(0)
  for (const snippet of snippets) writeFileSync(join(work, fileOf(snippet)), snippet.code)
  const config = {
    extends: '../../tsconfig.base.json',
    compilerOptions: { rootDir: '.', outDir: 'out', sourceMap: true, noUnusedLocals: false, noUnusedParameters: false },
    include: ['*.ts'],
  }
  writeFileSync(join(work, 'tsconfig.json'), JSON.stringify(config))
  writeFileSync(join(work, 'package.json'), '{ "type": "module" }')

  const compiled = node([
    tool('typescript', { command: 'tsc' }),
    '-p',
    join(work, 'tsconfig.json'),
    '--pretty',
    'false',
  ])
  if (compiled.status !== 0) process.stderr.write(toPage(compiled.stdout + compiled.stderr))
  const runnable = compiled.status === 0 ? snippets.filter((snippet) => snippet.run) : []
  const broken = runnable.filter((snippet) => !runs(snippet))
  note(`docs: ${snippets.length} snippets checked, ${runnable.length} executed`)
  return Promise.resolve(compiled.status === 0 && broken.length === 0 ? 0 : 1)
}

function runs(snippet) {
  const file = join(work, 'out', fileOf(snippet).replace(/\.ts$/, '.js'))
  const result = node(['--enable-source-maps', file])
  if (result.status === 0) return true
  note(`docs: ${snippet.page}:${snippet.line} does not run`)
  process.stderr.write(toPage(result.stdout + result.stderr))
  return false
}
