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
  /** `count` uses of what was revoked, had expired, or belonged to a task that was over; a spent grant is none. */
  | {
      readonly on: 'used-after-end'
      readonly count: number
      readonly windowSeconds: number
      readonly effect: TriggerEffect
    }
  /** A call count or a total of the task or the agent would have been passed. */
  | { readonly on: 'total-reached'; readonly effect: TriggerEffect }
  /** More than `calls` uses within `windowSeconds`. */
  | { readonly on: 'velocity'; readonly calls: number; readonly windowSeconds: number; readonly effect: TriggerEffect }
  /** An open task that was not renewed, got no grant and used none for `seconds`. */
  | { readonly on: 'inactivity'; readonly seconds: number; readonly effect: TriggerEffect }
  /** What the broker's posture source says of the agent is not what it said when the task first asked for a call. */
  | { readonly on: 'posture-changed'; readonly effect: TriggerEffect }
  /** A signal that other systems send under this name, over `POST /signals`. */
  | { readonly on: 'signal'; readonly name: string; readonly effect: TriggerEffect }
