import type { Evidence } from './evidence.ts'
import type { Survey } from './survey.ts'
import { keyIssues } from './key-issues.ts'

/** One way in which a strict reader refuses what a lenient one takes. */
export interface Strictness {
  readonly id: string
  readonly refuses: string
  readonly why: string
  readonly clause: string
  /** Whether it explains the refusal of this input; looks at the input, never at what our code said about it. */
  readonly applies: (evidence: Evidence) => boolean
}

const inJson =
  (test: (text: Survey) => boolean) =>
  ({ headerText, payloadText }: Evidence): boolean =>
    test(headerText) || test(payloadText)
const hasIssue =
  (...places: readonly string[]) =>
  ({ issues }: Evidence): boolean =>
    issues.some((issue) => places.includes(issue))

/** Whether a nested or otherwise odd `exp` of the past is in the text of a payload. */
const hasPastExp = (segment: string, now: number): boolean =>
  Array.from(
    Buffer.from(segment, 'base64url')
      .toString()
      .matchAll(/"exp":(\d+)/g),
  ).some(([, at]) => Number(at) <= now)

const POINTERS = ['jku', 'x5u', 'x5c']

/** The written list. Nothing else may be refused that jose, set up as strictly as it can be, takes. */
export const STRICTNESS: readonly Strictness[] = [
  {
    id: 'size-limit',
    refuses: 'a token longer than its kind needs',
    why: 'work before the signature check is bounded',
    clause: 'RFC 8725 section 3.11 in spirit; OWASP resource consumption',
    applies: ({ token, kind }) => token.length > kind.maxBytes,
  },
  {
    id: 'base64url-canonical',
    refuses: 'padding, white space, other alphabets and stray trailing bits in a segment',
    why: 'one token has one text, so nothing that is kept by its text can be doubled',
    clause: 'RFC 7515 section 2, RFC 4648 sections 3.2, 3.3 and 3.5',
    applies: ({ segments }) =>
      segments.some((segment) => Buffer.from(segment, 'base64url').toString('base64url') !== segment),
  },
  {
    id: 'json-duplicate',
    refuses: 'a member name twice in one object, at any depth, escapes resolved',
    why: 'two readers take different ones',
    clause: 'RFC 7515 section 4, RFC 7519 section 4, RFC 7493 section 2.3',
    applies: inJson(({ hasDuplicate }) => hasDuplicate),
  },
  {
    id: 'json-proto',
    refuses: 'a member named __proto__',
    why: 'copied onto another object it changes a prototype instead of a member',
    clause: 'none: nobody means it',
    applies: inJson(({ hasProto }) => hasProto),
  },
  {
    id: 'json-surrogate',
    refuses: 'a lone surrogate',
    why: 'it is no text: writers turn it into something else',
    clause: 'RFC 7493 section 2.1, RFC 8785 section 3.2.2.2',
    applies: inJson(({ hasLoneSurrogate }) => hasLoneSurrogate),
  },
  {
    id: 'json-number',
    refuses: 'numbers that are not finite, and whole numbers beyond 2^53 - 1',
    why: 'an exp of 1e999 never comes, and no two readers agree on the digits',
    clause: 'RFC 7493 section 2.2, RFC 8259 section 6',
    applies: inJson(({ hasOddNumber }) => hasOddNumber),
  },
  {
    id: 'json-depth',
    refuses: 'nesting deeper than 16',
    why: 'work and stack are bounded',
    clause: 'RFC 8259 section 9',
    applies: inJson(({ depth }) => depth > 16),
  },
  {
    id: 'json-byte-order-mark',
    refuses: 'a byte order mark',
    why: 'some readers drop it and some do not',
    clause: 'RFC 8259 section 8.1',
    applies: inJson(({ hasByteOrderMark }) => hasByteOrderMark),
  },
  {
    id: 'header-extension',
    refuses: 'crit, b64, zip and enc in a header, also where the reader could ignore them',
    why: 'a token that changes how it is to be read is read by nobody here',
    clause: 'RFC 7515 section 4.1.11, RFC 7797 section 7, RFC 8725 section 3.2',
    applies: ({ header }) => ['crit', 'b64', 'zip', 'enc'].some((name) => Object.hasOwn(header, name)),
  },
  {
    id: 'header-key',
    refuses: 'a key or the address of one in a header, but for the key of a proof',
    why: 'keys come from configuration; what cannot be used should not be there to be used by mistake',
    clause: 'RFC 8725 sections 3.9 and 3.10, RFC 7515 sections 4.1.2, 4.1.3, 4.1.5 and 4.1.6',
    applies: ({ header, kind }) =>
      POINTERS.some((name) => Object.hasOwn(header, name)) || (!kind.allowsJwk && Object.hasOwn(header, 'jwk')),
  },
  {
    id: 'header-closed',
    refuses: 'any header member of a JWT-SVID but alg, kid and typ',
    why: 'the standard says so',
    clause: 'JWT-SVID sections 2 and 4',
    applies: ({ header, kind }) =>
      kind.onlyHeader !== undefined && Object.keys(header).some((name) => kind.onlyHeader?.includes(name) !== true),
  },
  {
    id: 'kid-text',
    refuses: 'a kid that is not a string of 1 to 128 characters',
    why: 'it is a name to look up, and nothing else',
    clause: 'RFC 7515 section 4.1.4, RFC 8725 section 3.10',
    applies: ({ header }) => {
      const { kid } = header
      return Object.hasOwn(header, 'kid') && (typeof kid !== 'string' || kid === '' || kid.length > 128)
    },
  },
  {
    id: 'kid-required',
    refuses: 'a JWT-SVID without kid',
    why: 'its key is found by name, never by trying',
    clause: 'SPIFFE practice (go-spiffe); the standard leaves it open',
    applies: ({ header, kind }) => kind.onlyHeader !== undefined && !Object.hasOwn(header, 'kid'),
  },
  {
    id: 'typ-exact',
    refuses: 'a typ in other letters, with parameters, or with application/ where the profile writes it without',
    why: 'one kind of token cannot pass for another, and there is one spelling to compare',
    clause: 'RFC 8725 section 3.11, RFC 9449 section 4.3, RFC 9068 section 4',
    applies: ({ header, kind }) => {
      if (!Object.hasOwn(header, 'typ')) return !kind.typ.includes('')
      const { typ } = header
      return typeof typ !== 'string' || typ === '' || !kind.typ.includes(typ)
    },
  },
  {
    id: 'exp-without-leeway',
    refuses: 'a token whose exp is now or was a moment ago',
    why: 'nothing works after its end; clocks are the issuer’s care, who can issue earlier',
    clause: 'RFC 7519 section 4.1.4 (leeway is a MAY)',
    applies: hasIssue('exp-passed'),
  },
  {
    id: 'exp-glance',
    refuses:
      'a grant in which the only plainly written exp is over, though it is not the token’s own, which is spelled oddly',
    why: 'tokens that are over are told by a glance at their text, before they are parsed; no issuer writes such a one',
    clause: 'none: cheap before costly (design section 5)',
    applies: ({ kind, segments, issues }) =>
      kind.glanceAt !== undefined && !issues.includes('exp-passed') && hasPastExp(segments[1] ?? '', kind.glanceAt),
  },
  {
    id: 'lifetime',
    refuses:
      'a token that lives longer than its kind may: grants 900 s, task tokens a day, assertions by kind, from their iat too',
    why: 'a stolen one ends',
    clause: 'RFC 8725 section 2.8 in spirit; design section 3',
    applies: hasIssue('lifetime'),
  },
  {
    id: 'date-range',
    refuses: 'dates below 0 or beyond the year 9999, an exp that is not after iat',
    why: 'they are mistakes, and arithmetic with them goes wrong',
    clause: 'RFC 7519 section 2 (NumericDate)',
    applies: hasIssue('iat', 'exp', 'nbf', 'ttl', 'exp-before-iat'),
  },
  {
    id: 'audience-alone',
    refuses: 'an aud that is a list, or names anybody besides',
    why: 'a token for two can be taken from one to the other',
    clause: 'RFC 8725 section 3.9, draft-ietf-oauth-rfc7523bis, JWT-SVID section 3',
    applies: hasIssue('aud'),
  },
  {
    id: 'claim-shape',
    refuses: 'claims of the profile that are missing, empty, too long or of another type',
    why: 'what counts later must be there now; jose checks that they are there, not what they are',
    clause: 'RFC 9068 section 2.2, RFC 7519 section 4.1',
    applies: hasIssue(
      'iss',
      'sub',
      'client_id',
      'jti',
      'txn',
      'urn:hallpass:policy',
      'urn:hallpass:path',
      'urn:hallpass:identity',
    ),
  },
  {
    id: 'actor-exact',
    refuses: 'an act where agent and subject are one, and any act but the agent’s own where they are two',
    why: 'who acts for whom is said once, and by the issuer',
    clause: 'RFC 8693 section 4.1',
    applies: hasIssue('act'),
  },
  {
    id: 'confirmation-closed',
    refuses: 'a cnf that holds anything but one thumbprint',
    why: 'a confirmation nobody checks is none',
    clause: 'RFC 7800 section 3.1, RFC 9449 section 6.1',
    applies: hasIssue('cnf'),
  },
  {
    id: 'status-shape',
    refuses: 'a grant without exactly one place in a status list',
    why: 'it could not be revoked where nothing is shared',
    clause: 'Token Status List section 6',
    applies: hasIssue('status'),
  },
  {
    id: 'details-closed',
    refuses: 'authorization_details that are not exactly one entry, known to its last member',
    why: 'what is not understood is not granted',
    clause: 'RFC 9396 sections 2 and 5',
    applies: hasIssue('authorization_details'),
  },
  {
    id: 'proof-window',
    refuses: 'a proof made more than 60 s ago, and one whose own exp has passed',
    why: 'the window in which a proof must be remembered is short and exact',
    clause: 'RFC 9449 sections 4.3 and 11.1',
    applies: hasIssue('proof-age', 'exp-passed'),
  },
  {
    id: 'proof-jti',
    refuses: 'a jti of less than 16 or more than 128 characters',
    why: 'it is what tells a replay: it has to be unique, and it is stored',
    clause: 'RFC 9449 section 4.2 (96 bits or more)',
    applies: hasIssue('proof-jti'),
  },
  {
    id: 'proof-url',
    refuses: 'an htu with query, fragment, user, or characters a URL does not have, which a browser’s parser forgives',
    why: 'one address has one spelling, up to normalisation',
    clause: 'RFC 9449 sections 4.2 and 4.3, RFC 3986',
    applies: hasIssue('htu'),
  },
  {
    id: 'proof-key',
    refuses: 'a key in a proof with private members, another use, alg or operation, or not in canonical base64url',
    why: 'a key is good for one thing, and its thumbprint has one value',
    clause: 'RFC 9449 section 4.3, RFC 7517 section 4, RFC 7518 section 6.2.1',
    applies: ({ header, kind }) => kind.allowsJwk && keyIssues(header['jwk'], header['alg']).length > 0,
  },
  {
    id: 'key-choice',
    refuses: 'an assertion whose kid names no registered key that fits its alg',
    why: 'a key is chosen by name and kind, never by trying',
    clause: 'RFC 7515 section 4.1.4, RFC 8725 section 3.1',
    applies: hasIssue('kid'),
  },
  {
    id: 'status-claims',
    refuses: 'a status list whose shape, time or data are not as the draft says',
    why: 'a list that cannot be read for sure says nothing, and saying nothing is refusing',
    clause: 'Token Status List sections 4 and 8.3',
    applies: hasIssue('status_list', 'lst', 'stale'),
  },
]

const byId = new Map(STRICTNESS.map((row) => [row.id, row]))
export const isListed = (id: string): boolean => byId.has(id)

/** The first reason on the list that explains why this input is refused. */
export const explain = (evidence: Evidence): string | undefined =>
  STRICTNESS.find(({ applies }) => applies(evidence))?.id
