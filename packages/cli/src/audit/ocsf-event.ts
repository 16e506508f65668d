import type { EventType, TrailLine } from '@hallpass/core'
import { describeEvent } from '@hallpass/core'

/** The version of the Open Cybersecurity Schema Framework that these events are written in. */
export const OCSF_VERSION = '1.6.0'

type ClassName =
  | 'API Activity'
  | 'Authorize Session'
  | 'Entity Management'
  | 'Application Lifecycle'
  | 'Detection Finding'

/** `class_uid` and, by its first digit, `category_uid`. */
const CLASS_UID: Readonly<Record<ClassName, number>> = {
  'Detection Finding': 2004,
  'Authorize Session': 3003,
  'Entity Management': 3004,
  'Application Lifecycle': 6002,
  'API Activity': 6003,
}

const CREATE = 1
const READ = 2
const UPDATE = 3
const DELETE = 4
const START = 3
const ASSIGN_PRIVILEGES = 1
const OTHER = 99
/** Values of `severity_id`. */
const [INFORMATIONAL, LOW, MEDIUM, HIGH] = [1, 2, 3, 4] as const
/** Values of `status_id`. */
const [SUCCESS, FAILURE] = [1, 2] as const

interface Mapping {
  readonly className: ClassName
  /** `activity_id`; for API Activity what the action's name says. */
  readonly activity?: number
  readonly severity?: 1 | 2 | 3 | 4
  readonly failed?: true
  /** `entity.type` of Entity Management. */
  readonly entity?: string
}

const entity = (type: string, activity: number, more: Partial<Mapping> = {}): Mapping => ({
  className: 'Entity Management',
  entity: type,
  activity,
  ...more,
})
const call = (more: Partial<Mapping> = {}): Mapping => ({ className: 'API Activity', ...more })

/** Where every type of event goes. The same table is in docs/audit.md. */
export const OCSF_MAPPING: Readonly<Record<EventType, Mapping>> = {
  'broker.started': { className: 'Application Lifecycle', activity: START },
  'policy.loaded': entity('policy', UPDATE),
  'key.rotated': entity('signing key', UPDATE),
  'task.opened': entity('task', CREATE),
  'task.refused': entity('task', CREATE, { failed: true, severity: LOW }),
  'task.renewed': entity('task', UPDATE),
  'task.ended': entity('task', DELETE),
  'grant.issued': { className: 'Authorize Session', activity: ASSIGN_PRIVILEGES },
  'grant.refused': { className: 'Authorize Session', activity: ASSIGN_PRIVILEGES, failed: true, severity: LOW },
  'grant.revoked': entity('grant', DELETE, { severity: MEDIUM }),
  'grant.expired': entity('grant', DELETE),
  'use.started': call(),
  'use.refused': call({ failed: true, severity: LOW }),
  'use.repeated': call(),
  'use.ended': call(),
  'use.given-back': call(),
  'use.unknown': call({ severity: MEDIUM }),
  'use.passed': call({ severity: MEDIUM }),
  'trigger.fired': { className: 'Detection Finding', activity: CREATE, severity: HIGH },
  'revocation.requested': entity('revocation', CREATE, { severity: MEDIUM }),
  'revocation.lifted': entity('revocation', DELETE, { severity: MEDIUM }),
  'traffic.refused': call({ failed: true, severity: LOW, activity: OTHER }),
  'trail.checkpoint': entity('audit trail', UPDATE),
  'trail.recovered': entity('audit trail', UPDATE, { severity: MEDIUM }),
  'trail.vouched': entity('audit trail', UPDATE),
  'trail.gap': entity('audit trail', UPDATE, { severity: HIGH }),
}

/** A type that a newer version wrote. */
const UNKNOWN = entity('event', OTHER)

const ACTIVITY_NAMES: Readonly<Record<number, string>> = { 1: 'Create', 2: 'Read', 3: 'Update', 4: 'Delete' }
/** What the last word of an action's name says it does; every other word is `Other`. */
const WORDS: ReadonlyMap<string, number> = new Map([
  ...['create', 'add', 'open'].map((word): [string, number] => [word, CREATE]),
  ...['read', 'get', 'list', 'search'].map((word): [string, number] => [word, READ]),
  ...['update', 'change', 'set', 'edit'].map((word): [string, number] => [word, UPDATE]),
  ...['delete', 'remove', 'cancel'].map((word): [string, number] => [word, DELETE]),
])

const activityOf = ({ action = '' }: TrailLine): number => WORDS.get(action.split(/[.:_-]/).at(-1) ?? '') ?? OTHER
const milliseconds = (seconds: number): number => Math.round(seconds * 1000)
const present = (members: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))

const actorOf = ({ client_id, sub, txn, source }: TrailLine): object =>
  present({
    app_uid: client_id ?? source,
    app_name: client_id ?? source,
    user: sub === undefined ? undefined : { uid: sub },
    session: txn === undefined ? undefined : { uid: txn },
  })

const statusOf = (line: TrailLine, failed: true | undefined): number => {
  const isFailed = failed === true || (line.status !== undefined && line.status >= 400)
  return isFailed ? FAILURE : SUCCESS
}

function classMembers(line: TrailLine, mapping: Mapping): Record<string, unknown> {
  const { client_id, sub, aud, action, resource, jti, txn, status, exp, type, id, policy } = line
  const actor = actorOf(line)
  switch (mapping.className) {
    case 'API Activity':
      return {
        actor,
        api: present({ operation: action ?? type, service: aud === undefined ? undefined : { name: aud } }),
        src_endpoint: { svc_name: client_id ?? 'unknown' },
        dst_endpoint: aud === undefined ? undefined : { svc_name: aud },
        resources: resource === undefined ? undefined : [{ uid: resource }],
        http_response: status === undefined ? undefined : { code: status },
      }
    case 'Authorize Session':
      return {
        actor,
        user: { uid: sub ?? client_id ?? 'unknown' },
        privileges: [[action ?? 'unknown', resource].filter((part) => part !== undefined).join(' ')],
        session: present({
          uid: jti ?? txn,
          issuer: line.source.replace(/^broker:/, ''),
          expiration_time: exp === undefined ? undefined : milliseconds(exp),
        }),
        dst_endpoint: aud === undefined ? undefined : { svc_name: aud },
      }
    case 'Application Lifecycle':
      return { app: { name: 'Hallpass broker', vendor_name: 'Hallpass', uid: line.source } }
    case 'Detection Finding':
      return {
        finding_info: { uid: id, title: describeEvent(line) },
        resources: [present({ uid: client_id ?? txn ?? jti, type: 'agent' })],
      }
    default:
      return {
        actor,
        comment: line.note,
        entity: present({
          type: mapping.entity,
          uid:
            mapping.entity === 'task' ? (txn ?? id) : mapping.entity === 'grant' ? (jti ?? id) : (policy?.digest ?? id),
          version: policy?.version,
        }),
      }
  }
}

/** Members of an event that no attribute of the schema has a place for: they keep their names. */
const UNMAPPED: readonly (keyof TrailLine)[] = [
  'purpose',
  'owner',
  'note',
  'rule',
  'policy',
  'limits',
  'ttl',
  'jkt',
  'parameters',
  'facts',
  'follows',
  'call_id',
  'trace',
  'origin',
  'data',
  'hash',
]

const unmapped = (line: TrailLine): Record<string, unknown> =>
  present(Object.fromEntries(UNMAPPED.map((name) => [name, line[name]])))

/** One line of a trail as an event of the Open Cybersecurity Schema Framework. */
export function ocsfEvent(line: TrailLine): object {
  const mapping: Mapping = Object.hasOwn(OCSF_MAPPING, line.type) ? OCSF_MAPPING[line.type] : UNKNOWN
  const { className, severity = INFORMATIONAL, failed } = mapping
  const classUid = CLASS_UID[className]
  const activity = mapping.activity ?? activityOf(line)
  const status = statusOf(line, failed)
  return present({
    activity_id: activity,
    activity_name: activity === OTHER ? line.type : className === 'API Activity' ? ACTIVITY_NAMES[activity] : undefined,
    category_uid: Math.floor(classUid / 1000),
    class_uid: classUid,
    class_name: className,
    type_uid: classUid * 100 + activity,
    time: milliseconds(line.time),
    severity_id: severity,
    status_id: status,
    status_code: line.reason,
    status_detail: line.detail,
    count: line.count,
    message: describeEvent(line),
    metadata: present({
      version: OCSF_VERSION,
      product: { name: 'Hallpass', vendor_name: 'Hallpass' },
      uid: line.id,
      event_code: line.type,
      sequence: line.seq,
      log_provider: line.source,
      correlation_uid: line.txn,
    }),
    ...classMembers(line, mapping),
    unmapped: unmapped(line),
  })
}
