export { forwardingTrail } from './forwarding-trail/forwarding-trail.ts'
export type { ForwardingState, ForwardingTrail, ForwardingTrailOptions } from './forwarding-trail/forwarding-trail.ts'
