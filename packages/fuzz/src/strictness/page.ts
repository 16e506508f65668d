import { STRICTNESS } from './strictness.ts'

const HEAD = `# Where Hallpass is stricter than jose

Every token, proof, assertion and status list that Hallpass accepts, [jose](https://github.com/panva/jose) accepts and
reads the same; so says the fuzzer (\`npm run fuzz\`) on every input it makes, with jose set up as strictly as it can be:
one algorithm, exact \`typ\`, issuer, audience, required claims, greatest age. What jose takes and Hallpass refuses is
refused for one of these reasons and for no other. This page is made from
\`packages/fuzz/src/strictness/strictness.ts\` by \`npm run fuzz -- --list\`; a test compares both.

| Id | Refused | Why | Clause |
|---|---|---|---|
`

const TAIL = `
Readers without jose as their judge have lists of their own: JSON is compared with \`JSON.parse\` (stricter: the rows
\`json-*\`), canonical JSON with the package \`canonicalize\` (no difference allowed), amounts with arithmetic on BigInt
(\`decimal-form\`: leading zeros and negative zero; \`decimal-size\`: more than 40 digits before or 20 behind the point),
request targets with WHATWG URL (\`url-two-readings\`: whatever two parsers could read differently, such as dot segments,
empty segments, encoded slashes, backslashes, controls, and a user in the authority), entries with a second reading of
the profile as a schema, coverage with a slow reading by hand (no difference allowed), and the parameters of a request
with what URLSearchParams and a plain copy make of it (\`query-form\`: broken escapes, and pairs without name or equals sign).
`

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** The text of `docs/strictness.md`. */
export function strictnessPage(): string {
  const rows = STRICTNESS.map(
    ({ id, refuses, why, clause }) => `| \`${id}\` | ${cell(refuses)} | ${cell(why)} | ${cell(clause)} |`,
  )
  return `${HEAD}${rows.join('\n')}\n${TAIL}`
}
