import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type Collect = (options?: { type: 'minor' }) => void

let collect: Collect | undefined

/** Collects the young generation: what is alive is copied, everything else is gone. */
export function collectYoungGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as Collect
  }
  collect({ type: 'minor' })
}

/** Empties the young generation: what survives two collections is moved out of it, and not copied again on anybody's clock. */
export function settleYoungGeneration(): void {
  collectYoungGarbage()
  collectYoungGarbage()
}
