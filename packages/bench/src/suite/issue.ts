import { EmbeddedJWK, SignJWT, jwtVerify } from 'jose'
import { bareVerifyAndSign } from '../baseline/bare-crypto.ts'
import type { RowAim } from '../row/row-aim.ts'
import type { Work } from '../timing/work.ts'
import { openDesk, TOKEN_URL, tokenOf } from '../world/desk.ts'
import type { Desk, TokenRequest, Wish } from '../world/desk.ts'
import { serveDesk } from '../world/desk-server.ts'
import { TASK } from '../world/bench-ledger.ts'
import { createBenchIssuer } from '../world/grant.ts'
import { createHolder } from '../world/holder.ts'
import { ISSUER } from '../world/orders-api.ts'
import { must, mustThrow, take } from './must.ts'
import type { Entry, Suite } from './suite.ts'

const BATCH = 128

const read = (order: number): Wish => ({ action: 'order.read', resource: `order:${order}` })
let orders = 0

type Ask = (desk: Desk, request: TokenRequest) => Promise<string | undefined>

/** Task token and proof checked, policy asked, grant registered, signed and on the chained record; so many at once. */
function issuing(desk: Desk, ask: Ask, atOnce = 1): Work {
  let requests: TokenRequest[] = []
  return {
    batch: BATCH,
    async prepare(operations) {
      await desk.trail.flush()
      requests = Array.from({ length: operations }, () => desk.request(read((orders += 1))))
    },
    async run(operations) {
      let next = 0
      const oneByOne = async (): Promise<void> => {
        for (let at = next++; at < operations; at = next++) {
          const token = await ask(desk, take(requests, at))
          if (token === undefined) throw new Error('An honest request was refused while it was timed.')
        }
      }
      await Promise.all(Array.from({ length: atOnce }, oneByOne))
    },
  }
}

const viaToken = async (desk: Desk, request: TokenRequest): Promise<string | undefined> =>
  tokenOf(await desk.ask(request))

async function viaFetch(desk: Desk, { parameters, proof }: TokenRequest): Promise<string | undefined> {
  const body = new URLSearchParams(parameters).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded', dpop: proof }
  const response = await desk.broker.fetch(new Request(TOKEN_URL, { method: 'POST', headers, body }))
  return response.status === 200 ? ((await response.json()) as { access_token?: string }).access_token : undefined
}

/** Requests on their way at once. */
const IN_FLIGHT = 32

/** The desk's checks hold for the door too: what it refuses has no token, and what it answers is asked once. */
async function checkHttp(): Promise<void> {
  const desk = await openDesk()
  const server = await serveDesk(desk, IN_FLIGHT)
  const honest = desk.request(read(1))
  must((await server.ask(honest)) !== undefined, 'the honest request gets a grant over HTTP')
  must((await server.ask(honest)) === undefined, 'a proof works once')
  must(
    (await server.ask(desk.request(read(1), createHolder()))) === undefined,
    "another key cannot use the task's token",
  )
  server.close()
  await desk.close()
  await checkDesk()
}

/** What a broker of one's own on jose would sign, without identity, policy, ledger or record. */
async function joseIssue(): Promise<Work> {
  const issuer = createBenchIssuer()
  const holder = createHolder()
  const { claims } = issuer.grant({
    txn: TASK,
    action: 'order.read',
    resource: 'order:1',
    calls: 1,
    jkt: holder.key.jkt,
  })
  let proofs: string[] = []
  return {
    batch: BATCH,
    prepare(operations) {
      proofs = Array.from({ length: operations }, () => holder.proof({ method: 'POST', url: TOKEN_URL }))
    },
    async run(operations) {
      for (let done = 0; done < operations; done++) {
        await jwtVerify(take(proofs, done), EmbeddedJWK, { typ: 'dpop+jwt', algorithms: ['ES256'], maxTokenAge: 60 })
        await new SignJWT({ ...claims })
          .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: '1' })
          .sign(issuer.key.privateKey)
      }
    },
  }
}

async function checkDesk(): Promise<void> {
  const desk = await openDesk()
  const before = desk.trail.count
  const honest = desk.request(read(1))
  const token = tokenOf(await desk.ask(honest))
  must(token !== undefined, 'the honest request gets a grant')
  must(desk.trail.count > before, 'the grant is on record')
  checkShape(token)
  const refuses = async (request: TokenRequest, why: string): Promise<void> =>
    must(tokenOf(await desk.ask(request)) === undefined, why)
  await refuses(honest, 'a proof works once')
  await refuses(desk.request(read(1), createHolder()), "another key cannot use the agent's task token")
  await refuses(desk.request({ ...read(1), action: 'order.cancel' }), 'an action that no API has is refused')
  const refund = (amount: string): Wish => ({ action: 'refund.create', resource: 'order:1', parameters: { amount } })
  must(tokenOf(await desk.ask(desk.request(refund('50.00')))) !== undefined, 'the policy permits a small refund')
  await refuses(desk.request(refund('50.01')), 'the policy denies a larger one')
  const altered = desk.request(read(1))
  const cut = desk.taskToken.length - 20
  const other = desk.taskToken[cut] === 'A' ? 'B' : 'A'
  const forged = desk.taskToken.slice(0, cut) + other + desk.taskToken.slice(cut + 1)
  await refuses(
    { ...altered, parameters: { ...altered.parameters, subject_token: forged } },
    'an altered task token is refused',
  )
  await desk.broker.revoke({ kind: 'agent', clientId: 'support-bot' }, 'bench')
  await refuses(desk.request(read(2)), 'a revoked agent gets nothing')
  await desk.close()
}

/** The grants that the verifier rows sign by themselves have the shape of the broker's. */
function checkShape(token: string): void {
  const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
  const made = createBenchIssuer().grant({
    txn: TASK,
    action: 'order.read',
    resource: 'order:1',
    jkt: 'A'.repeat(43),
    calls: 1,
  })
  const members = (value: object): string => Object.keys(value).sort().join(' ')
  must(
    payload['iss'] === ISSUER && members(payload) === members(made.claims),
    "the bench's grants have the claims of the broker's",
  )
  const entryOf = (claims: { authorization_details?: unknown }) =>
    (claims.authorization_details as readonly object[])[0] ?? {}
  must(members(entryOf(payload)) === members(entryOf(made.claims)), "and an entry like the broker's")
}

const row = (id: string, aim: number | null, work: string): RowAim => ({
  id,
  aim,
  better: 'lower',
  measure: id.startsWith('peer') || id === 'issue.http' ? 'wall' : 'cpu',
  baseline: 'ES256 verify + sign',
  work,
})

export const issue: Suite = {
  rows: [
    row('issue.inprocess', 1.3, 'token exchange as data: task, proof, policy, ledger, sign, chained record'),
    row('issue.fetch', null, 'the same through Request and Response'),
    row('issue.http', null, 'the same over HTTP on loopback, 32 at once, agent and broker in one process'),
    row('peer.jose.issue', null, 'verify a proof, sign the same claims; nothing else'),
  ],
  open: async () => {
    const issuer = createBenchIssuer()
    const { token } = issuer.grant({
      txn: TASK,
      action: 'order.read',
      resource: 'order:1',
      calls: 1,
      jkt: 'A'.repeat(43),
    })
    const baseline = bareVerifyAndSign(issuer.key, token)
    const checkJose = (): Promise<void> =>
      mustThrow(() => jwtVerify('a.b.c', EmbeddedJWK), 'what is no proof is refused')
    const desk = await openDesk()
    const server = await serveDesk(desk, IN_FLIGHT)
    const entries: readonly Entry[] = [
      { id: 'issue.inprocess', check: checkDesk, work: issuing(desk, viaToken), baseline },
      { id: 'issue.fetch', check: checkDesk, work: issuing(desk, viaFetch), baseline },
      {
        id: 'issue.http',
        check: checkHttp,
        work: issuing(desk, (_desk, request) => server.ask(request), IN_FLIGHT),
        baseline,
      },
      { id: 'peer.jose.issue', check: checkJose, work: await joseIssue(), baseline },
    ]
    const close = async (): Promise<void> => {
      server.close()
      await desk.close()
    }
    return { entries, close }
  },
}
