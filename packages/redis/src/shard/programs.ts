import { chargeAgent, leavePlace, refundAgent, takePlace } from '../lua/agent.ts'
import { giveBack, readUse, settle } from '../lua/end-use.ts'
import { readGrant, registerGrant } from '../lua/grant.ts'
import { endTask, killStep, revokeGrant } from '../lua/kill.ts'
import { readLog } from '../lua/log.ts'
import { bindKey, markOnce, readClock, reserveStatus, sizes } from '../lua/once.ts'
import { redeem } from '../lua/redeem.ts'
import { fulfil, intend, intents, lift, stop } from '../lua/stop.ts'
import { sweep, swept } from '../lua/sweep.ts'
import { noteRefusal, openTask, readTask } from '../lua/task.ts'
import type { Program } from './program.ts'

const goesOn = (name: string, body: string): Program => ({ name, body, whenFull: 'goes-on' })
const refuses = (name: string, body: string): Program => ({ name, body, whenFull: 'refuses' })

/** Every script of the ledger. */
export const programs = {
  redeem: refuses('redeem', redeem),
  settle: goesOn('settle', settle),
  giveBack: goesOn('giveBack', giveBack),
  readUse: goesOn('readUse', readUse),
  chargeAgent: refuses('chargeAgent', chargeAgent),
  refundAgent: goesOn('refundAgent', refundAgent),
  takePlace: refuses('takePlace', takePlace),
  leavePlace: goesOn('leavePlace', leavePlace),
  openTask: refuses('openTask', openTask),
  readTask: goesOn('readTask', readTask),
  noteRefusal: goesOn('noteRefusal', noteRefusal),
  endTask: goesOn('endTask', endTask),
  registerGrant: refuses('registerGrant', registerGrant),
  readGrant: goesOn('readGrant', readGrant),
  revokeGrant: goesOn('revokeGrant', revokeGrant),
  killStep: goesOn('killStep', killStep),
  stop: goesOn('stop', stop),
  lift: goesOn('lift', lift),
  intend: goesOn('intend', intend),
  intents: goesOn('intents', intents),
  fulfil: goesOn('fulfil', fulfil),
  readLog: goesOn('readLog', readLog),
  sweep: goesOn('sweep', sweep),
  swept: goesOn('swept', swept),
  markOnce: refuses('markOnce', markOnce),
  bindKey: refuses('bindKey', bindKey),
  reserveStatus: refuses('reserveStatus', reserveStatus),
  readClock: goesOn('readClock', readClock),
  sizes: goesOn('sizes', sizes),
} as const

export type ProgramName = keyof typeof programs
