export { forwardingTrail } from './forwarding-trail/forwarding-trail.ts'
export type {
  ForwardingState,
  ForwardingTrail,
  ForwardingTrailOptions,
  SourceCheckpointOptions,
} from './forwarding-trail/forwarding-trail.ts'
