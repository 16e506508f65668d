import type { Outcome, RedeemAnswer, RedeemRequest } from '@hallpass/core'
import { refuse, sha256Base64url } from '@hallpass/core'
import { unavailable } from '../shard/trouble.ts'
import type { Shard } from '../shard/shard.ts'
import type { Shards } from '../shard/shards.ts'
import { chargeAgent, refundAgent } from './charge-agent.ts'
import { FACT_BREAKS, factsOf } from './facts.ts'
import { fieldsOf, listOf, refusalOf } from './answers.ts'
import { reservationText } from './reservation.ts'
import { msOf } from './times.ts'

/** Longer ids would let one caller fill the memory. */
const MAX_ID_CHARS = 256
const isId = (text: string): boolean => text.length > 0 && text.length <= MAX_ID_CHARS

/** One redeem, ready to be sent. */
interface Ask {
  readonly shard: Shard
  readonly request: RedeemRequest
  readonly secret: string
  readonly text: string
}

/** The one atomic step. Where a grant is limited per agent, the agent's shard is charged before it, never after. */
export async function redeem(shards: Shards, request: RedeemRequest, secret: string): Promise<RedeemAnswer> {
  const { attempt, idempotency, proof, txn } = request
  if (!isId(attempt) || (idempotency !== undefined && !isId(idempotency.key))) return refuse('request-malformed')
  if (proof !== undefined && !isId(proof.jti)) return refuse('proof-malformed')
  const text = askText(request, secret, shards.settings.times.skew)
  if (text === undefined) return refuse('request-malformed')
  const ask = { shard: shards.of(txn), request, secret, text: `${text}\r${amountsText(request.amounts)}\r` }
  const answer = await ask.shard.redeems.ask(ask.text)
  return answer.startsWith('A ') ? redeemWithAgent(shards, ask, answer.slice(2)) : answerOf(answer, ask)
}

/** A charge whose redeem made no use comes back; where nobody knows, it does not: never one use more. */
async function redeemWithAgent(shards: Shards, ask: Ask, cost: string): Promise<RedeemAnswer> {
  const charge = { clientId: ask.request.clientId, id: ask.secret }
  const refusal = await chargeAgent(shards, charge, { cost })
  if (refusal !== undefined) return refusal
  const answer = await ask.shard.redeems.ask(ask.text + cost)
  if (!answer.startsWith('F ') && !(await isOnRecord(ask))) await refundAgent(shards, charge).catch(() => false)
  return answerOf(answer, ask)
}

/** Whether this very ask made the use: sent again after a cut, it is answered as what was sent before, or is dead. */
async function isOnRecord({ shard, request: { jti, attempt }, secret }: Ask): Promise<boolean> {
  try {
    const [, , flat] = listOf(await shard.run('readGrant', [shard.meta, shard.key(`grant:${jti}`)], []))
    return fieldsOf(flat).get(`use:${attempt}`)?.split('\n').includes(secret) === true
  } catch {
    return true
  }
}

/** Everything the script needs, in its order; undefined where a member is more than a line and would be taken for two. */
function askText(request: RedeemRequest, secret: string, skew: number): string | undefined {
  const { attempt, audience, event, idempotency, jti, proof } = request
  const kid = idempotency === undefined ? '' : repeatId(audience, idempotency.key)
  const digest = idempotency?.digest ?? ''
  const said = `${event}\n${kid}\n${digest}\n${secret}`
  const shown = proof === undefined ? '\r' : `${markedUntil(proof.acceptUntil, skew)}\r${proof.jkt} ${proof.jti}`
  const [plain, keyed] = request.outbox === true ? ['O', 'J'] : ['-', 'I']
  const mark = idempotency === undefined ? plain : keyed
  const text = `${mark}${jti}\r${attempt}\r${said}\r${shown}\r${factsOf(request, proof?.jkt)}`
  return count(text, '\r') === ASK_BREAKS && count(text, '\n') === SAID_BREAKS + FACT_BREAKS ? text : undefined
}

const ASK_BREAKS = 5
const SAID_BREAKS = 3

function count(text: string, mark: string): number {
  let found = 0
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) found += 1
  return found
}

/** Where a retry is looked up in its task. */
const repeatId = (audience: string, key: string): string => sha256Base64url(JSON.stringify([audience, key]))

/** A mark without an end would last for ever: what is not a time is over. In ms, the skew longer than acceptance. */
const markedUntil = (seconds: number, skew: number): string =>
  Number.isFinite(seconds) ? String(msOf(seconds) + skew) : '0'

/** Amounts that can be added up exactly; what is left out is missing, and refused where a limit asks for it. */
function amountsText(amounts: RedeemRequest['amounts']): string {
  let text = ''
  for (const name of Object.keys(amounts)) {
    const units: unknown = amounts[name]
    if (typeof units !== 'number' || !Number.isSafeInteger(units) || units < 0) continue
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${units}`
  }
  return text === '' ? '' : `{${text}}`
}

function answerOf(answer: string, { shard, request, secret }: Ask): RedeemAnswer {
  const { attempt, jti, txn } = request
  const told = answer.slice(2)
  switch (answer[0]) {
    case 'F':
    case 'S': {
      const [most, used, at, was = secret] = told.split(' ')
      const reservation = reservationText({ shard: shard.index, secret: was, jti, txn, attempt })
      return { ok: true, state: 'first', reservation, at: Number(at) / 1000, usesLeft: Number(most) - Number(used) }
    }
    case 'R':
      return { ok: true, state: 'running', event: told }
    case 'U':
      return { ok: true, state: 'unknown', event: told }
    case 'D': {
      const end = told.indexOf('\n')
      const outcome = JSON.parse(told.slice(end + 1)) as Outcome
      return { ok: true, state: 'done', event: told.slice(0, end), outcome }
    }
    case 'N':
      return refusalOf(answer)
    default:
      throw unavailable('answered what no script of the ledger answers')
  }
}
