import { readFileSync, readdirSync } from 'node:fs'
import { Deployment } from 'kubernetes-models/apps/v1'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1'
import { Namespace, PersistentVolumeClaim, Service, ServiceAccount } from 'kubernetes-models/v1'
import { createBroker, generateSigningKeys } from '@hallpass/broker'
import { memoryLedger, memoryTrail } from '@hallpass/core'
import { describe, expect, test, vi } from 'vitest'
import { parseAllDocuments } from 'yaml'

const folder = 'deploy/kubernetes'
const read = (file: string): string => readFileSync(file, 'utf8')

/** What is in the manifests, and nothing else: a kind that nobody checks fails. */
const KINDS = new Map<string, new (value: never) => { validate(): void }>(
  Object.entries({
    Deployment,
    NetworkPolicy,
    PodDisruptionBudget,
    Namespace,
    PersistentVolumeClaim,
    Service,
    ServiceAccount,
  }),
)

interface Manifest {
  readonly kind: string
  readonly apiVersion: string
  readonly metadata: { readonly name: string }
  readonly spec?: unknown
}

const files = readdirSync(folder).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
const manifests = files.flatMap((file) =>
  parseAllDocuments(read(`${folder}/${file}`)).map((document): [string, Manifest] => {
    const [error] = document.errors
    if (error !== undefined) throw error
    const value = document.toJS() as Manifest
    return [`${file}: ${value.kind} ${value.metadata.name}`, value]
  }),
)

/** By the JSON schemas of the Kubernetes API that the package was made from, compiled into it. */
function problemsOf(manifest: Manifest): string | undefined {
  const Model = KINDS.get(manifest.kind)
  if (Model === undefined) return `no schema for ${manifest.kind}`
  try {
    new Model(manifest as never).validate()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

const broker = manifests.find(([, { kind }]) => kind === 'Deployment')?.[1].spec as {
  replicas: number
  template: {
    spec: {
      terminationGracePeriodSeconds: number
      securityContext: object
      containers: [{ image: string; securityContext: object; [probe: string]: unknown }]
    }
  }
}

describe('deploy/kubernetes', () => {
  test.each(manifests)('%s fits the schema of its kind', (_name, manifest) => {
    expect(problemsOf(manifest)).toBeUndefined()
  })

  test('the schemas see what is wrong', () => {
    const [, deployment] = manifests.find(([, { kind }]) => kind === 'Deployment') ?? manifests[0] ?? ['', undefined]
    const wrong = JSON.parse(JSON.stringify(deployment).replace('"replicas":2', '"replicas":"two"')) as Manifest
    expect(problemsOf(wrong)).toMatch(/replicas/)
    const unknown = JSON.parse(JSON.stringify(deployment).replace('"containers"', '"container"')) as Manifest
    expect(problemsOf(unknown)).toMatch(/container/)
  })

  test('the kustomization lists every file there is', () => {
    const kustomization = parseAllDocuments(read(`${folder}/kustomization.yaml`))[0]?.toJS() as {
      resources: string[]
      configMapGenerator: [{ files: string[] }]
    }
    expect(kustomization.resources.toSorted()).toEqual(files.toSorted())
    const others = readdirSync(folder).filter((name) => name.endsWith('.ts'))
    expect(kustomization.configMapGenerator[0].files.toSorted()).toEqual(others.toSorted())
  })

  test('the broker runs twice, without a privilege, and says when it is alive and when ready', () => {
    expect(broker.replicas).toBe(2)
    const { securityContext, containers, terminationGracePeriodSeconds } = broker.template.spec
    expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
    const [container] = containers
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(container['livenessProbe']).toMatchObject({ httpGet: { path: '/healthz' } })
    expect(container['readinessProbe']).toMatchObject({ httpGet: { path: '/readyz' } })
    const [drain = 0, grace = 0] = [
      ...read(`${folder}/hallpass.config.ts`).matchAll(/(?:drain|grace)Seconds: (\d+)/g),
    ].map(([, seconds]) => Number(seconds))
    expect(drain).toBeGreaterThan(0)
    expect(terminationGracePeriodSeconds).toBeGreaterThan(drain + grace + 5)
  })

  test('the configuration in them is one a broker starts with', async () => {
    vi.stubEnv('HALLPASS_LEDGER', 'redis://redis:6379')
    vi.stubEnv('HALLPASS_DIGEST_KEY', Buffer.alloc(32, 1).toString('base64'))
    vi.stubEnv('POD_NAME', 'hallpass-broker-0')
    const { default: config } = await import('../deploy/kubernetes/hallpass.config.ts')
    vi.unstubAllEnvs()
    const { keys: _keys, trail, ledger, listen: _listen, ...options } = config
    expect({ trail, ledger }).toEqual({
      trail: { path: '/trail/hallpass-broker-0.jsonl' },
      ledger: 'redis://redis:6379',
    })
    const broker = createBroker({
      ...options,
      ledger: memoryLedger({ exactFor: 'one-process' }),
      keys: generateSigningKeys(),
      audit: memoryTrail(),
    })
    expect((await broker.fetch(new Request(`${config.issuer}/readyz`))).status).toBe(200)
    await broker.close()
  })

  test('no image names a host', () => {
    const images = [
      container().image,
      ...[...read('Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, image = '']) => image),
    ]
    expect(images.length).toBeGreaterThan(2)
    for (const image of images) expect(image).toMatch(/^[a-z][a-z0-9-]*:[\w.-]+$/)
  })
})

const container = () => broker.template.spec.containers[0]

describe('Dockerfile', () => {
  const dockerfile = read('Dockerfile')

  test('runs as nobody in particular, in two stages, with a health check', () => {
    expect(dockerfile.match(/^FROM /gm)).toHaveLength(2)
    expect(dockerfile).toMatch(/^USER node$/m)
    expect(dockerfile).toMatch(/^HEALTHCHECK .*\/healthz/m)
  })

  test('pins the package manager that the workspace pins', () => {
    const { packageManager } = JSON.parse(read('package.json')) as { packageManager: string }
    expect(dockerfile).toContain(`--package=${packageManager} `)
  })

  test('takes no key, trail or ledger into the image', () => {
    const ignored = read('.dockerignore').split('\n')
    expect(ignored).toEqual(expect.arrayContaining(['**/*.jwk.json', '**/*.jsonl', '**/*.db', '.env*', '.git']))
  })
})
