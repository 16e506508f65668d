import type { Requirement } from './requirement.ts'

/** The ten Nevers, broken down. */
export const nevers: readonly Requirement[] = [
  {
    id: 'dead.expired',
    source: 'never 1',
    behavior: 'A grant is refused from the second of its exp on, with no leeway.',
  },
  { id: 'dead.last-use', source: 'never 1', behavior: 'A grant is refused after its last use.' },
  {
    id: 'dead.task-completed',
    source: 'never 1',
    behavior: 'Every grant of a task is refused once the task is completed.',
  },
  {
    id: 'dead.task-deadline',
    source: 'never 1',
    behavior: 'Every grant of a task is refused once its deadline has passed.',
  },
  { id: 'dead.grant-revoked', source: 'never 1', behavior: 'A revoked grant is refused on the shared ledger at once.' },
  { id: 'dead.task-revoked', source: 'never 1', behavior: 'Every grant of a revoked task is refused at once.' },
  {
    id: 'dead.agent-revoked',
    source: 'never 1',
    behavior: 'Every grant of a revoked agent is refused at once, and it gets no new task.',
  },
  { id: 'scope.action', source: 'never 2', behavior: 'A grant for one action does nothing on the route of another.' },
  {
    id: 'scope.resource',
    source: 'never 2',
    behavior: 'A grant for one resource does nothing on another, whatever route and body say.',
  },
  { id: 'scope.parameters', source: 'never 2', behavior: 'A changed, added, removed or moved parameter is refused.' },
  { id: 'scope.audience', source: 'never 2', behavior: 'A grant for one audience is refused at every other.' },
  { id: 'scope.method', source: 'never 2', behavior: 'A proof for another method is refused.' },
  {
    id: 'scope.url',
    source: 'never 2',
    behavior: 'A proof for another URL is refused, whatever Host and request line say.',
  },
  { id: 'scope.body', source: 'never 2', behavior: 'A body other than the one under the proof is refused.' },
  {
    id: 'scope.key',
    source: 'never 2',
    behavior: 'A token presented with another key, or as a bearer token, is refused.',
  },
  {
    id: 'count.calls',
    source: 'never 3',
    behavior: 'Of 1,000 parallel calls against N uses exactly N reach the handler.',
  },
  { id: 'count.totals', source: 'never 3', behavior: 'Parallel calls never pass a total.' },
  { id: 'count.replicas', source: 'never 3', behavior: 'The counts hold across replicas of an API.', later: true },
  { id: 'count.crash', source: 'never 3', behavior: 'The counts hold after a crash of any part.', later: true },
  {
    id: 'closed.ledger',
    source: 'never 4',
    behavior: 'A ledger that throws or hangs is answered with 503; the handler does not run.',
  },
  {
    id: 'closed.audit',
    source: 'never 4',
    behavior: 'A trail that cannot record is answered with 503; the handler does not run.',
  },
  {
    id: 'closed.keys',
    source: 'never 4',
    behavior: 'Keys that cannot be had are answered with 503; the handler does not run.',
  },
  { id: 'closed.policy', source: 'never 4', behavior: 'A predicate or fact that throws, or is late, denies.' },
  {
    id: 'closed.unknown',
    source: 'never 4',
    behavior: 'An unknown member, constraint or entry type in a grant is refused.',
  },
  { id: 'narrow.renewed', source: 'never 5', behavior: 'A renewed task keeps its deadline, limits and counts.' },
  { id: 'narrow.ceiling', source: 'never 5', behavior: 'No grant goes beyond the ceiling its task was opened with.' },
  {
    id: 'narrow.delegated',
    source: 'never 5',
    behavior: 'A delegated grant is never wider than its parent.',
    later: true,
  },
  {
    id: 'agent.incomplete',
    source: 'never 6',
    behavior: 'A policy with an agent lacking owner, approvers or triggers does not load.',
  },
  { id: 'agent.unknown', source: 'never 6', behavior: 'An unregistered agent gets nothing.' },
  {
    id: 'approval.exact',
    source: 'never 7',
    behavior: 'An approval serves only the exact request shown, once, in time, never its requester.',
    later: true,
  },
  { id: 'approval.absent', source: 'never 7', behavior: 'Until approvals exist, what needs one is refused as such.' },
  {
    id: 'break-glass',
    source: 'never 8',
    behavior: 'Break-glass has a reason, an end and an alarm, and no agent reaches it.',
    later: true,
  },
  { id: 'secret.answers', source: 'never 9', behavior: 'No refusal carries a token, proof, key or parameter value.' },
  { id: 'secret.trail', source: 'never 9', behavior: 'No event carries a token, proof, key or parameter value.' },
  {
    id: 'secret.output',
    source: 'never 9',
    behavior:
      'No refusal and no fault writes a token, proof, key, parameter value or header of a caller to a log or terminal.',
  },
  {
    id: 'secret.faults',
    source: 'never 9',
    behavior: 'What a broken ledger, trail or key source throws reaches neither the caller nor the trail.',
  },
  {
    id: 'secret.objects',
    source: 'never 9',
    behavior:
      'Client, task, call, broker and verifier show no token, proof, key or parameter value when inspected or serialised.',
  },
  {
    id: 'secret.model',
    source: 'never 9',
    behavior: 'What the client says to a model carries no token, proof or key.',
  },
  {
    id: 'trail.everything',
    source: 'never 10',
    behavior: 'Issue, use, refusal, outcome, revocation and end are each in the trail.',
  },
  { id: 'trail.altered', source: 'never 10', behavior: 'An altered, missing, reordered or repeated line is found.' },
]
