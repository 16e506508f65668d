import { HallpassError } from '@hallpass/core'
import { MIGRATIONS } from './migrations.ts'

/** Raised by the functions of the schema. */
export const SQLSTATE = { newerSchema: 'HP001', isolation: 'HP002' } as const

/** Puts the schema's name and the numbers of its advisory locks into SQL. */
export function schemaSql(schema: string): (sql: string) => string {
  // Quoted below; the narrow form keeps it readable in every tool.
  if (!/^[a-z_][a-z0-9_]{0,47}$/.test(schema)) {
    throw new HallpassError('configuration-invalid', 'postgresLedger: schema takes lower-case letters, digits and _')
  }
  const locks = lockOf(schema)
  return (sql) =>
    sql
      .replaceAll('@.', `"${schema}".`)
      .replaceAll('@LOCK', String(locks))
      .replaceAll('@NAMES', String(locks + 1))
}

/** Where it is told that the log of revocations of a schema has more. */
export const channelOf = (schema: string): string => `${schema}.revocations`

/** One number per schema, even, so that two schemas of one database do not wait for each other. */
function lockOf(schema: string): number {
  let hash = 17
  for (const letter of schema) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0
  return (hash & 0x3fffffff) * 2
}

/** One statement that takes the schema to the newest version, or raises: all or nothing, one at a time. */
export function migrationSql(schema: string): string {
  const fill = schemaSql(schema)
  const steps = MIGRATIONS.map(
    (sql, index) => `
    IF v_version < ${index + 1} THEN
      EXECUTE $migration$${sql}$migration$;
      INSERT INTO @.schema_version (version) VALUES (${index + 1});
    END IF;`,
  )
  return fill(`DO $migrate$
DECLARE
  v_version int;
BEGIN
  PERFORM pg_advisory_xact_lock(@LOCK, 0);
  IF to_regnamespace('${schema}') IS NULL THEN CREATE SCHEMA "${schema}"; END IF;
  CREATE TABLE IF NOT EXISTS @.schema_version (
    version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp());
  SELECT coalesce(max(version), 0) INTO v_version FROM @.schema_version;
  IF v_version > ${MIGRATIONS.length} THEN
    RAISE EXCEPTION 'The schema has version %, and this release knows ${MIGRATIONS.length}', v_version
      USING ERRCODE = '${SQLSTATE.newerSchema}';
  END IF;
${steps.join('\n')}
END
$migrate$`)
}
