/** `package.json` of a new project. */
export const packageSource = (version: string): string =>
  `${JSON.stringify(
    {
      name: 'hallpass-project',
      version: '0.0.0',
      private: true,
      type: 'module',
      scripts: { dev: 'hallpass dev', api: 'hallpass run api.ts', agent: 'hallpass run agent.ts' },
      dependencies: {
        '@hallpass/client': `^${version}`,
        '@hallpass/core': `^${version}`,
        '@hallpass/policy': `^${version}`,
        '@hallpass/verifier': `^${version}`,
        express: '^5.1.0',
        zod: '^4.1.0',
      },
      devDependencies: {
        '@hallpass/cli': `^${version}`,
        '@types/express': '^5.0.0',
        '@types/node': '>=20',
        typescript: '>=5.8',
      },
    },
    null,
    2,
  )}\n`

/** `tsconfig.json` of a new project: for the editor, nothing is built. */
export const tsconfigSource = (): string =>
  `${JSON.stringify(
    {
      compilerOptions: {
        target: 'es2023',
        module: 'nodenext',
        strict: true,
        noEmit: true,
        allowImportingTsExtensions: true,
        skipLibCheck: true,
        types: ['node'],
      },
      include: ['*.ts'],
    },
    null,
    2,
  )}\n`

/** What git must not see: private keys, the trail, the default ledger, what `hallpass dev` keeps. */
export const IGNORED: readonly string[] = [
  'keys/',
  '.hallpass/',
  'audit.jsonl',
  'audit.jsonl.*',
  'hallpass.db*',
  'node_modules/',
]
