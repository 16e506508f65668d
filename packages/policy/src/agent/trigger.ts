/** What a trigger does when it fires: to the grant, to its task, or to every task of the agent until an operator lifts it. */
export type TriggerEffect = 'revoke-grant' | 'end-task' | 'quarantine-agent'

/**
 * When an agent's behaviour ends what it holds. Data, checked when the policy is defined; the broker acts on it.
 *
 * Refusals count only where a fresh proof by the agent's key came with them; windows are kept per grant, task or agent,
 * as wide as what the effect ends. `revoke-grant` ends the task where no grant is named.
 */
export type Trigger =
  /** `count` decisions or requests refused within `windowSeconds`. */
  | {
      readonly on: 'refused-requests'
      readonly count: number
      readonly windowSeconds: number
      readonly effect: TriggerEffect
    }
  /** `count` uses tried outside what the grant covers. */
  | {
      readonly on: 'out-of-scope'
      readonly count: number
      readonly windowSeconds: number
      readonly effect: TriggerEffect
    }
  /** `count` proofs presented a second time. */
  | {
      readonly on: 'proof-replayed'
      readonly count: number
      readonly windowSeconds: number
      readonly effect: TriggerEffect
    }
  /** `count` uses of something that had ended, expired or was spent. */
  | {
      readonly on: 'used-after-end'
      readonly count: number
      readonly windowSeconds: number
      readonly effect: TriggerEffect
    }
  /** A total was passed or would have been. */
  | { readonly on: 'total-reached'; readonly effect: TriggerEffect }
  /** More than `calls` uses within `windowSeconds`. */
  | { readonly on: 'velocity'; readonly calls: number; readonly windowSeconds: number; readonly effect: TriggerEffect }
  /** No use for `seconds`. */
  | { readonly on: 'inactivity'; readonly seconds: number; readonly effect: TriggerEffect }
  /** What the broker's posture source says of the agent is not what it said when the task first asked for a call. */
  | { readonly on: 'posture-changed'; readonly effect: TriggerEffect }
  /** A signal that other systems send under this name, over `POST /signals`. */
  | { readonly on: 'signal'; readonly name: string; readonly effect: TriggerEffect }
