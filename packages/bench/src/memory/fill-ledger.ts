import { randomBytes } from 'node:crypto'
import { memoryLedger } from '@hallpass/core'
import type { MemoryLedger, RedeemAnswer, RedeemRequest } from '@hallpass/core'
import { must } from '../suite/must.ts'
import { AGENT, OWNER, POLICY } from '../world/grant.ts'
import { AUDIENCE, ISSUER } from '../world/orders-api.ts'
import { wireText } from '../world/wire-text.ts'

const GRANT_SECONDS = 900
const TASK_SECONDS = 3600
/** The highest that a bound can be. */
const MANY = 2 ** 23
const ACTION = 'order.read'
const id = (prefix: string): string => prefix + randomBytes(16).toString('base64url')

export interface OpenedTask {
  readonly txn: string
  readonly jkt: string
}

export interface RegisteredGrant extends OpenedTask {
  readonly jti: string
  readonly iat: number
  readonly exp: number
  readonly resource: string
}

/** A memory ledger whose clock stands where it is told to, and what brokers and verifiers put in; undefined = full. */
export interface FilledLedger {
  readonly ledger: MemoryLedger
  now: number
  openTask(): OpenedTask | undefined
  register(task: OpenedTask, seconds?: number): RegisteredGrant | undefined
  /** One id names the attempt and its proof. */
  request(grant: RegisteredGrant, attempt?: string): RedeemRequest
  redeem(grant: RegisteredGrant, attempt?: string): RedeemAnswer
}

/** Bounds are those given, and no hindrance where nothing is given. */
export function fillLedger(
  bounds: Partial<Record<'maxTasks' | 'maxGrants' | 'maxProofs' | 'maxUses', number>> = {},
): FilledLedger {
  let grants = 0
  let time = Math.floor(Date.now() / 1000)
  const filled: FilledLedger = {
    get now() {
      return time
    },
    set now(later) {
      time = later
    },
    ledger: memoryLedger({
      exactFor: 'one-process',
      clock: () => time,
      maxTasks: MANY,
      maxGrants: MANY,
      maxProofs: MANY,
      maxUses: MANY,
      ...bounds,
    }),
    openTask() {
      const { ledger, now } = filled
      const task = { txn: id('tsk_'), jkt: randomBytes(32).toString('base64url') }
      const opened = ledger.openTask(
        {
          ...task,
          clientId: AGENT,
          owner: OWNER,
          purpose: 'support-ticket',
          identity: { iss: ISSUER, sub: AGENT },
          openedAt: now,
          deadline: now + TASK_SECONDS,
          policy: POLICY,
          incarnation: ledger.incarnation,
        },
        { maxOpenTasks: MANY },
      )
      return opened.ok ? task : full(opened.reason)
    },
    register({ txn, jkt }, seconds = GRANT_SECONDS) {
      const { ledger, now } = filled
      // What a request brings is a string of its own.
      const resource = wireText(`order:${(grants += 1)}`)
      const grant = { txn, jkt: wireText(jkt), jti: id('gr_'), iat: now, exp: now + seconds, resource }
      const registered = ledger.registerGrant({
        ...grant,
        issuer: ISSUER,
        clientId: AGENT,
        owner: OWNER,
        audience: wireText(AUDIENCE),
        action: wireText(ACTION),
        limits: [{ id: 'calls', per: 'grant', max: MANY }],
        policy: POLICY,
        status: { uri: `${ISSUER}/status/1`, idx: grants },
        incarnation: ledger.incarnation,
      })
      return registered.ok ? grant : full(registered.reason)
    },
    redeem: (grant, attempt) => filled.ledger.redeem(filled.request(grant, attempt)),
    request(grant, attempt = id('ev_')) {
      return {
        ...grant,
        attempt,
        event: attempt,
        audience: AUDIENCE,
        issuer: ISSUER,
        clientId: AGENT,
        action: ACTION,
        source: 'registered',
        limits: [],
        amounts: {},
        proof: { jkt: grant.jkt, jti: `proof-${attempt}`, iat: time, acceptUntil: time + 60 },
      }
    },
  }
  return filled
}

function full(reason: string): undefined {
  must(reason === 'ledger-full', `a ledger without room says ledger-full (it says ${reason})`)
  return undefined
}

/** What a caller of `openTask` or `register` knows to be there. */
export function there<T>(value: T | undefined): T {
  must(value !== undefined, 'there is room for what a row counts')
  return value
}
