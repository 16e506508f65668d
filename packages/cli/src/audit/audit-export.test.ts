import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AuditEvent, TrailLine } from '@hallpass/core'
import { fileTrail } from '@hallpass/core/file-trail'
import { beforeEach, describe, expect, test } from 'vitest'
import { hallpass, hallpassHere, temporaryDirectory } from '../../test/hallpass.ts'
import { OCSF_MAPPING } from './ocsf-event.ts'

const facts = {
  source: 'broker:https://b.example',
  txn: 'tsk_1',
  jti: 'gr_1',
  client_id: 'support-bot',
  sub: 'user-7',
  aud: 'https://orders.example',
  action: 'refund.create',
  resource: 'order:1',
  note: 'ticket 9917',
  parameters: 'hmac-sha-256:abc',
  trace: '00-5b8efff798038103d269b633813fc60c-eee19b7ec3c1b174-01',
  status: 201,
  exp: 1_750_000_100,
  data: { deep: [1, 1.5, true, null, 'x'] },
}
const types = Object.keys(OCSF_MAPPING) as AuditEvent['type'][]
const story: readonly AuditEvent[] = types.map((type, index) => ({
  id: `ev_${index}`,
  type,
  time: 1_750_000_000.123 + index,
  ...facts,
}))

let cwd: string
const file = () => join(cwd, 'audit.jsonl')
beforeEach(async () => {
  cwd = temporaryDirectory()
  const trail = fileTrail({ path: file() })
  for (const event of story) await trail.append(event)
  await trail.close()
})
const exported = async (...more: string[]) => hallpassHere(['audit', 'export', 'audit.jsonl', ...more], { cwd })
const parsed = async <T>(...more: string[]): Promise<T[]> =>
  (await exported(...more)).stdout
    .split('\n')
    .slice(0, -1)
    .map((text) => JSON.parse(text) as T)

type Ocsf = Readonly<Record<string, unknown>> & {
  class_uid: number
  activity_id: number
  metadata: Record<string, unknown>
}

/** What the schema requires of each class, beside what it requires of every event. Version 1.6.0. */
const REQUIRED: Readonly<Record<number, readonly string[]>> = {
  2004: ['finding_info'],
  3003: ['user', 'privileges'],
  3004: ['entity'],
  6002: ['app'],
  6003: ['actor', 'api', 'src_endpoint'],
}
const ACTIVITIES: Readonly<Record<number, readonly number[]>> = {
  2004: [1, 2, 3, 99],
  3003: [1, 2, 3, 99],
  3004: [1, 2, 3, 4, 99],
  6002: [1, 2, 3, 4, 99],
  6003: [1, 2, 3, 4, 99],
}
const EVERY = ['activity_id', 'category_uid', 'class_uid', 'type_uid', 'time', 'severity_id', 'metadata']

describe('hallpass audit export', { timeout: 60_000 }, () => {
  test('writes the lines as they are, and goes on after a number', async () => {
    expect((await exported()).stdout).toBe(readFileSync(file(), 'utf8'))
    expect((await parsed<TrailLine>('--after', '20')).map(({ seq }) => seq)[0]).toBe(21)
  })

  test('writes every type of event with what its OCSF class requires', async () => {
    const events = await parsed<Ocsf>('--format', 'ocsf')
    expect(events).toHaveLength(types.length)
    for (const event of events) {
      const { class_uid: uid, activity_id: activity, metadata } = event
      expect(Object.keys(event)).toEqual(expect.arrayContaining([...EVERY, ...(REQUIRED[uid] ?? ['no such class'])]))
      expect(ACTIVITIES[uid]).toContain(activity)
      expect(event).toMatchObject({ type_uid: uid * 100 + activity, category_uid: Math.floor(uid / 1000) })
      expect(Number.isInteger(event['time'])).toBe(true)
      expect(metadata).toMatchObject({ version: '1.6.0', product: { vendor_name: 'Hallpass' } })
    }
  })

  test('says in OCSF who did what with which outcome', async () => {
    const events = await parsed<Ocsf>('--format', 'ocsf')
    const of = (type: AuditEvent['type']) => events.find(({ metadata }) => metadata['event_code'] === type)
    expect(of('use.ended')).toMatchObject({
      class_uid: 6003,
      activity_id: 1,
      status_id: 1,
      actor: { app_uid: 'support-bot', user: { uid: 'user-7' }, session: { uid: 'tsk_1' } },
      api: { operation: 'refund.create', service: { name: 'https://orders.example' } },
      resources: [{ uid: 'order:1' }],
      http_response: { code: 201 },
    })
    expect(of('grant.refused')).toMatchObject({ class_uid: 3003, status_id: 2, severity_id: 2 })
    expect(of('grant.issued')).toMatchObject({
      privileges: ['refund.create order:1'],
      session: { uid: 'gr_1', expiration_time: 1_750_000_100_000 },
    })
    expect(of('task.ended')).toMatchObject({ class_uid: 3004, activity_id: 4, entity: { type: 'task', uid: 'tsk_1' } })
    expect(of('trigger.fired')).toMatchObject({ class_uid: 2004, severity_id: 4 })
  })

  test('writes OTLP/JSON, a whole message a line', async () => {
    type Logs = { resourceLogs: { scopeLogs: { logRecords: Record<string, unknown>[] }[] }[] }
    const records = (await parsed<Logs>('--format', 'otel')).map(
      ({ resourceLogs }) => resourceLogs[0]?.scopeLogs[0]?.logRecords[0],
    )
    expect(records.map((record) => record?.['eventName'])).toEqual(types.map((type) => `hallpass.${type}`))
    expect(records[0]).toMatchObject({
      timeUnixNano: '1750000000123000000',
      severityNumber: 9,
      traceId: '5b8efff798038103d269b633813fc60c',
      spanId: 'eee19b7ec3c1b174',
      attributes: expect.arrayContaining([
        { key: 'hallpass.status', value: { intValue: '201' } },
        {
          key: 'hallpass.data',
          value: {
            kvlistValue: {
              values: [
                {
                  key: 'deep',
                  value: {
                    arrayValue: {
                      values: [{ intValue: '1' }, { doubleValue: 1.5 }, { boolValue: true }, {}, { stringValue: 'x' }],
                    },
                  },
                },
              ],
            },
          },
        },
      ]) as unknown,
    })
  })

  test.each(['jsonl', 'ocsf', 'otel'])('stops at a line that was altered, as %s', async (format) => {
    const lines = readFileSync(file(), 'utf8').split('\n')
    writeFileSync(file(), lines.with(2, (lines[2] ?? '').replace('order:1', 'order:2')).join('\n'))
    const { code, stdout, stderr } = await exported('--format', format)
    expect([code, stdout.split('\n').length - 1]).toEqual([1, 2])
    expect(stderr).toContain('Line 3')
  })

  test('is a command that a pipe can read', async () => {
    const { code, stdout } = await hallpass(['audit', 'export', 'audit.jsonl', '--format', 'ocsf'], { cwd })
    expect([code, stdout.split('\n').length - 1]).toEqual([0, types.length])
  })

  test.each([
    ['another format', ['--format', 'xml']],
    ['an inherited word for a format', ['--format', 'constructor']],
    ['a number that is none', ['--after', 'x']],
    ['--json', ['--json']],
  ])('takes no %s', async (_name, more) => {
    expect(await exported(...more)).toMatchObject({ code: 2, stdout: expect.not.stringContaining('ev_1') as unknown })
  })
})
