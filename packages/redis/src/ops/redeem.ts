import type { Outcome, RedeemAnswer, RedeemRequest } from '@hallpass/core'
import { refuse, sha256Base64url } from '@hallpass/core'
import { unavailable } from '../shard/trouble.ts'
import type { Shard } from '../shard/shard.ts'
import type { Shards } from '../shard/shards.ts'
import { chargeAgent, refundAgent } from './charge-agent.ts'
import { factsOf } from './facts.ts'
import { refusalOf, textOf } from './answers.ts'
import { reservationText } from './reservation.ts'
import { msOf } from './times.ts'

/** Longer ids would let one caller fill the memory. */
const MAX_ID_CHARS = 256
const isId = (text: string): boolean => text.length > 0 && text.length <= MAX_ID_CHARS

/** One redeem: its script call, ready to be sent. */
interface Ask {
  readonly shard: Shard
  readonly request: RedeemRequest
  readonly secret: string
  readonly keys: readonly string[]
  readonly text: string
}

/** The one atomic step. Where a grant is limited per agent, the agent's shard is charged before it, never after. */
export async function redeem(shards: Shards, request: RedeemRequest, secret: string): Promise<RedeemAnswer> {
  const { attempt, idempotency, proof, txn } = request
  if (!isId(attempt) || (idempotency !== undefined && !isId(idempotency.key))) return refuse('request-malformed')
  if (proof !== undefined && !isId(proof.jti)) return refuse('proof-malformed')
  const ask = askFor(shards.of(txn), request, secret)
  const amounts = amountsText(request.amounts)
  const answer = textOf(await ask.shard.run('redeem', ask.keys, amounts === '' ? [ask.text] : [ask.text, amounts]))
  if (!answer.startsWith('A ')) return answerOf(answer, ask)
  return redeemWithAgent(shards, ask, { amounts: amounts || '{}', cost: answer.slice(2) })
}

/** A charge whose redeem is refused comes back; one whose answer was lost does not: never one use more. */
async function redeemWithAgent(
  shards: Shards,
  ask: Ask,
  { amounts, cost }: { readonly amounts: string; readonly cost: string },
): Promise<RedeemAnswer> {
  const { clientId } = ask.request
  const charge = { clientId, id: ask.secret }
  const refusal = await chargeAgent(shards, charge, { cost })
  if (refusal !== undefined) return refusal
  const answer = textOf(await ask.shard.run('redeem', ask.keys, [ask.text, amounts, cost]))
  if (!answer.startsWith('F ')) await refundAgent(shards, charge).catch(() => false)
  return answerOf(answer, ask)
}

function askFor(shard: Shard, request: RedeemRequest, secret: string): Ask {
  const { attempt, audience, event, idempotency, jti, proof, resource, txn } = request
  const kid = idempotency === undefined ? '' : repeatId(audience, idempotency.key)
  const keys = [shard.meta, shard.key(`task:${txn}`), shard.key(`grant:${jti}`), shard.key('uses')]
  if (proof !== undefined) keys.push(shard.key(`proof:${proof.jkt} ${proof.jti}`))
  if (idempotency !== undefined) keys.push(shard.key(`keys:${txn}`))
  const accept = proof === undefined ? '' : acceptText(proof.acceptUntil)
  const text = `${factsOf(request)}\n${jti}\n${attempt}\n${event}\n${kid}\n${idempotency?.digest ?? ''}\n${secret}\n${accept}\n${proof?.jkt ?? ''}\n${resource}`
  return { shard, request, secret, keys, text }
}

/** Where a retry is looked up in its task. */
const repeatId = (audience: string, key: string): string => sha256Base64url(JSON.stringify([audience, key]))

/** A mark without an end would last for ever: what is not a time is over. */
const acceptText = (seconds: number): string => (Number.isFinite(seconds) ? String(msOf(seconds)) : '0')

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
      const [left, at, was = secret] = told.split(' ')
      const reservation = reservationText({ shard: shard.index, secret: was, jti, txn, attempt })
      return { ok: true, state: 'first', reservation, at: Number(at) / 1000, usesLeft: Number(left) }
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
