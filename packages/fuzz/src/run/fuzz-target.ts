import type { JsonValue } from '@hallpass/core'
import type { Target } from '../target/target.ts'
import { judgeCase } from './judge-case.ts'
import { Random } from './random.ts'
import { shrink } from './shrink.ts'
import { count } from './tally.ts'
import type { Tally } from './tally.ts'

/** A difference, as small as it got. */
export interface Finding {
  readonly target: string
  readonly what: string
  readonly input: JsonValue
}

/** So many at once: jose answers from a thread pool. */
const TOGETHER = 32

/** Runs cases `from` to `to` of one target; the same seed and number make the same case. */
export async function fuzzTarget(
  target: Target,
  tally: Tally,
  { seed, from, to }: { readonly seed: number; readonly from: number; readonly to: number },
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const started = performance.now()
  for (let at = from; at < to; at += TOGETHER) {
    const numbers = Array.from({ length: Math.min(TOGETHER, to - at) }, (_, index) => at + index)
    const inputs = numbers.map((number) => target.make(new Random(seed, target.name, number)))
    const verdicts = await Promise.all(inputs.map((input) => judgeCase(target, input)))
    for (const [index, verdict] of verdicts.entries()) {
      count(tally, verdict)
      const input = inputs[index]
      if (verdict.kind === 'difference' && input !== undefined)
        findings.push({ target: target.name, what: verdict.what, input })
    }
  }
  tally.seconds += (performance.now() - started) / 1000
  return findings
}

/** The finding with an input as small as it gets while the difference stays the same. */
export async function minimise(target: Target, { what, input, ...rest }: Finding): Promise<Finding> {
  const isSame = async (candidate: JsonValue) => {
    const verdict = await judgeCase(target, candidate)
    return verdict.kind === 'difference' && verdict.what === what
  }
  return { ...rest, what, input: await shrink(input, isSame) }
}
