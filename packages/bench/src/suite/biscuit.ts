import { bareVerify } from '../baseline/bare-crypto.ts'
import { loadBiscuit } from '../peer/biscuit.ts'
import type { RowAim } from '../row/row-aim.ts'
import { RESOURCE } from '../world/agent-call.ts'
import { createBenchIssuer } from '../world/grant.ts'
import { AUDIENCE } from '../world/orders-api.ts'
import { createPresenter } from '../world/presenter.ts'
import { wireText } from '../world/wire-text.ts'
import { must, mustThrow } from './must.ts'
import type { Suite } from './suite.ts'

/** Its default lets an authorization take a millisecond, and then refuses it. */
const LIMITS = { max_facts: 1000, max_iterations: 100, max_time_micro: 1_000_000 }
const POLICY = 'allow if resource($r), operation($o), right($r, $o); deny if true;'

const row: RowAim = {
  id: 'peer.biscuit',
  aim: null,
  better: 'lower',
  measure: 'cpu',
  baseline: 'ES256 verify',
  work: 'one block, Ed25519: parse, verify and authorize one action; a bearer token, no replay memory, no counter',
}

const instant = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`

/** Tokens of one right that end in an hour, and who checks them. */
async function openBiscuit() {
  const { Authorizer, Biscuit, KeyPair } = await loadBiscuit()
  const root = new KeyPair()
  const key = root.getPublicKey()
  const token = (end = Date.now() + 3_600_000): string => {
    const builder = Biscuit.builder()
    builder.addCode(`right("${RESOURCE}", "order.read"); client("support-bot");
      check if time($t), $t < ${instant(end)}; check if audience("${AUDIENCE}");`)
    return builder.build(root.getPrivateKey()).toBase64()
  }
  /** Throws to refuse. */
  const check = (text: string, resource = RESOURCE): void => {
    const parsed = Biscuit.fromBase64(text, key)
    const authorizer = new Authorizer()
    try {
      authorizer.addToken(parsed)
      const facts = `time(${instant(Date.now())}); resource("${resource}"); operation("order.read"); audience("${AUDIENCE}");`
      authorizer.addCode(facts + POLICY)
      authorizer.authorizeWithLimits(LIMITS)
    } finally {
      authorizer.free()
      parsed.free()
    }
  }
  return { token, check }
}

export const biscuit: Suite = {
  rows: [row],
  open: async () => {
    const issuer = createBenchIssuer()
    const baseline = bareVerify(issuer.key, createPresenter(issuer, 1).hold().grant.token)
    const { token, check } = await openBiscuit()
    const honest = token()
    let tokens: string[] = []
    const work = {
      batch: 256,
      prepare(operations: number) {
        tokens = Array.from({ length: operations }, () => wireText(honest))
      },
      run() {
        for (const text of tokens) check(text)
      },
    }
    return {
      entries: [
        {
          id: row.id,
          work,
          baseline,
          async check() {
            check(honest)
            must(true, 'the honest token is permitted')
            await mustThrow(() => check(honest, 'order:999'), 'another resource is refused')
            await mustThrow(() => check(token(Date.now() - 60_000)), 'an expired token is refused')
            const other = honest[60] === 'A' ? 'B' : 'A'
            await mustThrow(() => check(honest.slice(0, 60) + other + honest.slice(61)), 'an altered token is refused')
          },
        },
      ],
    }
  },
}
