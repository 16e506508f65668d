import assert from 'node:assert/strict'
import { memoryTrail, type UseLedger } from '@hallpass/core'
import { testKey } from '@hallpass/testing'
import { createVerifier } from '@hallpass/verifier'
import { atEachDoor, once, type Scenario } from '../scenario.ts'
import { orders } from '../stage/api.ts'
import { eavesdrop, shown } from '../stage/eavesdropper.ts'
import type { RawRequest, Reply } from '../stage/send.ts'
import type { Lie, Stage } from '../stage/stage.ts'

const AMOUNT = '17.93'
const OTHER_AMOUNT = '19.37'
/** Values that nobody but the two ends may ever see, and that occur nowhere by chance. */
const PLANTED = [AMOUNT, OTHER_AMOUNT, '735146', 'CANARY']

/** What a token or proof gives away: each of its parts, and the private half of a key. */
const partsOf = (token: string): string[] => token.split('.').filter((part) => part.length > 20)

function search(where: string, text: string, secrets: Iterable<string>): void {
  for (const secret of secrets) {
    const at = text.indexOf(secret)
    assert.equal(at, -1, `${secret.slice(0, 12)}… in ${where}: ${text.slice(Math.max(0, at - 60), at + 20)}`)
  }
}

/** Ways to be refused, each with a canary where one fits. The door must answer all of them, and admit the first only. */
function shots(stage: Stage, token: string, other: string): (() => Promise<Reply>)[] {
  const body = JSON.stringify({ amount: AMOUNT })
  const cookies = ['cookie', 'session=CANARY-COOKIE', 'x-api-key', 'CANARY-KEY', 'user-agent', 'CANARY-AGENT']
  const post =
    (request: Partial<RawRequest>, lie: Lie = {}) =>
    () =>
      stage.shoot(
        token,
        { method: 'POST', target: '/orders/123/refund', body, ...request },
        { headers: cookies, ...lie },
      )
  const raw =
    (headers: readonly string[], target = '/orders/123/refund') =>
    () =>
      stage.send({
        method: 'POST',
        target,
        body,
        headers: [...cookies, 'content-type', 'application/json', ...headers],
      })
  const credential = ['authorization', `DPoP ${token}`]
  return [
    post({}, { headers: [...cookies, 'idempotency-key', 'CANARY-CALL'] }),
    post({}, { headers: [...cookies, 'idempotency-key', 'CANARY CALL'] }),
    post({ body: JSON.stringify({ amount: OTHER_AMOUNT }) }),
    post({ body: `{"amount":"${AMOUNT}","CANARY-NAME":"CANARY-VALUE"}` }),
    post({ body: `{"amount":"${AMOUNT}","amount":"CANARY-TWICE"}` }),
    post({ body: '{"amount":"CANARY-AMOUNT"}' }),
    post({ body: 'CANARY-BODY' }),
    post({ target: '/orders/123/refund?limit=735146' }),
    post({ target: '/orders/123/refund?access_token=CANARY-QUERY' }),
    post({ target: '/orders/123%00CANARY/refund' }),
    post({}, { proof: { body: 'CANARY-OTHER' } }),
    post({}, { proof: { url: 'https://CANARY.test/' } }),
    post({}, { proof: { method: 'CANARY' } }),
    post({}, { proof: { claims: { jti: 'CANARY-JTI-CANARY-JTI', iat: 1 } } }),
    post({}, { proof: { claims: { nonce: 'CANARY-NONCE', ath: 'CANARY-ATH' } } }),
    post({}, { by: testKey() }),
    post({}, { proof: { signWith: testKey() } }),
    post({}, { scheme: 'Bearer' }),
    raw([]),
    raw(['authorization', 'Basic CANARY']),
    raw(['authorization', 'DPoP CANARY-TOKEN', 'dpop', 'CANARY-PROOF']),
    raw([...credential, ...credential, 'dpop', 'CANARY-PROOF']),
    raw([...credential, 'dpop', 'CANARY.PROOF.CANARY']),
    raw(credential),
    raw([...credential, 'dpop', 'x', 'content-encoding', 'CANARY']),
    () => stage.shoot(other, { method: 'POST', target: '/orders/123/refund', body }, { headers: cookies }),
    () => stage.shoot(`${token.slice(0, -4)}AAAA`, { method: 'POST', target: '/orders/123/refund', body }),
    () => stage.shoot(other, { target: '/customers/7/orders?status=open&limit=735146' }),
    () => stage.shoot(other, { method: 'PATCH', target: '/orders/123/items/CANARY', body: '{"quantity":"CANARY"}' }),
  ]
}

/** Never 9, everywhere at once: canaries in all that a caller sends, and a look at all that comes out. */
export const secrets: readonly Scenario[] = [
  atEachDoor(
    ['secret.answers', 'secret.trail', 'secret.output', 'secret.faults'],
    'shows no canary in an answer, event or log, whatever refuses and whatever breaks',
    async (stage) => {
      const listening = eavesdrop()
      const found = new Set(PLANTED)
      const proof = stage.agent.proof.bind(stage.agent)
      Object.assign(stage.agent, {
        proof: (...wish: Parameters<typeof proof>) => {
          const made = proof(...wish)
          for (const part of partsOf(made).slice(1)) found.add(part)
          return made
        },
      })
      const events: string[] = []
      const answers: Reply[] = []
      try {
        const task = await stage.task('support', { note: 'CANARY-NOTE' })
        const token = await stage.refundGrant(task, AMOUNT)
        const other = await stage.readGrant(task)
        for (const minted of [task, token, other]) for (const part of partsOf(minted).slice(1)) found.add(part)
        for (const key of [stage.agent.key, stage.world.brokerKey]) found.add(String(key.privateJwk['d']))
        for (const shot of shots(stage, token, other)) answers.push(await shot().catch(hungUp))
        const broken: readonly UseLedger['redeem'][] = [
          () => {
            throw new Error(`CANARY-LEDGER ${token}`)
          },
          () => Promise.reject(new Error(`CANARY-LEDGER ${token}`)),
          () => ({ ok: false, reason: 'CANARY-REASON' }) as never,
        ]
        const ledger = (redeem: UseLedger['redeem']) => ({
          exactFor: 'one-process' as const,
          redeem,
          settle: () => {},
          giveBack: () => false,
        })
        const audit = memoryTrail()
        const fails = () => {
          throw new Error(`CANARY-AUDIT ${token}`)
        }
        const faults = [
          ...broken.map((redeem) => ({ ledger: ledger(redeem), audit })),
          { audit: { ...memoryTrail(), append: fails } },
          {
            audit,
            more: { issuer: { issuer: stage.world.issuer, jwks: () => Promise.reject(new Error(`CANARY ${token}`)) } },
          },
        ]
        for (const fault of faults) {
          await stage.mount(fault)
          answers.push(await stage.refund(token, AMOUNT))
        }
        for (const line of [...(await stage.events()), ...(await audit.events())]) {
          // The note and the caller's own id of a call are what their fields of the trail are for.
          const { call_id: _call, ...rest } = line
          events.push(JSON.stringify(rest, (name, value: unknown) => (name === 'note' ? undefined : value)))
        }
      } finally {
        listening.stop()
      }
      assert.equal(stage.runs.length, 1)
      for (const { headers, text } of answers) search('an answer', `${JSON.stringify(headers)}\n${text}`, found)
      for (const event of events) search('the trail', event, found)
      search('the output', listening.heard(), found)
    },
  ),
  once(['secret.objects'], 'shows no canary in any object a program could log', async (stage) => {
    const found = new Set([...PLANTED, String(stage.world.brokerKey.privateJwk['d'])])
    const client = stage.world.client('support-bot')
    const told: string[] = []
    const tell = (value: unknown) => void told.push(shown(value))
    const tokens: string[] = []
    const fetch: typeof stage.world.fetch = async (input, init) => {
      const request = new Request(input, init)
      for (const name of ['authorization', 'dpop']) tokens.push(request.headers.get(name) ?? '')
      const response = await stage.world.fetch(request)
      tokens.push(...(await response.clone().text()).split('"').filter((part) => part.startsWith('eyJ')))
      return response
    }
    const watched = stage.world.client('support-bot', { fetch })
    await watched.task({ purpose: 'support', note: 'a ticket' }, async (task) => {
      const granted = await task.grant('refund.create', { resource: 'order:123', parameters: { amount: AMOUNT } })
      const done = await task.call('refund.create', { resource: 'order:124', parameters: { amount: OTHER_AMOUNT } })
      const refused = await task.call('refund.create', { resource: 'order:124', parameters: { amount: '735146.00' } })
      for (const value of [task, granted, done, refused]) tell(value)
      return true
    })
    const verifier = createVerifier({
      api: orders,
      issuer: stage.world.broker,
      ledger: stage.world.ledger,
      audit: memoryTrail(),
    })
    for (const value of [client, watched, stage.world.broker, verifier, stage.world.verifier(orders.audience)])
      tell(value)
    const failed = await watched
      .task({ purpose: 'support' }, () => Promise.reject(new Error('the agent failed')))
      .catch((error: unknown) => error)
    tell(failed)
    for (const token of tokens) for (const part of partsOf(token).slice(1)) found.add(part)
    assert(found.size > PLANTED.length + 4, 'tokens were seen')
    for (const text of told) search('an object', text, found)
  }),
]

/** A server may hang up on a request that it cannot frame. */
const hungUp = (): Reply => ({ status: 0, headers: {}, text: '', json: {} })
