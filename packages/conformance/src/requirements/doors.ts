import type { Requirement } from './requirement.ts'

/** What holds at every way to mount a verifier, whatever the framework behind it would make of a request. */
export const doors: readonly Requirement[] = [
  {
    id: 'url.own-path',
    source: 'rule 8',
    behavior:
      'Only the action’s own path below the public URL passes: no other letter case, trailing or doubled slash, or matrix parameter.',
  },
  {
    id: 'url.encoding',
    source: 'rule 8',
    behavior: 'Encoded slashes, backslashes, NULs, double, overlong and broken escapes in a path are refused.',
  },
  {
    id: 'url.authority',
    source: 'RFC 9110 4.2.4',
    behavior:
      'An authority in the request line counts for nothing; one with a user in it is refused where the door sees it.',
  },
  {
    id: 'url.host',
    source: 'RFC 9449 4.3',
    behavior: 'No Host, Forwarded, X-Forwarded, X-Original or X-Rewrite field moves the URL a proof is compared with.',
  },
  {
    id: 'url.mount',
    source: 'rule 8',
    behavior: 'A route under a mount whose parameters no action names is refused, at boot or at every request.',
  },
  {
    id: 'url.http2',
    source: 'rule 8',
    behavior: 'Over HTTP/2 the same requests pass and the same are refused; :authority counts for nothing.',
  },
  {
    id: 'resource.one-spelling',
    source: 'never 2',
    behavior: 'A resource has one spelling: text that is not in normalization form C is refused, at broker and API.',
  },
  {
    id: 'arguments.text',
    source: 'never 2',
    behavior: 'Arrays, objects, prototype members, numbers and exponents do not stand for the text that was granted.',
  },
  {
    id: 'body.charset',
    source: 'RFC 8259 8.1',
    behavior: 'A body under another charset than UTF-8, with a byte order mark, or not UTF-8, is refused.',
  },
  {
    id: 'body.framing',
    source: 'RFC 9112 6.3',
    behavior: 'A body with two framings, or a framing that is none, reaches no handler.',
  },
  {
    id: 'body.unread',
    source: 'RFC 9112 9.3',
    behavior: 'A refusal before or within the body leaves nothing of it behind to be read as a request.',
  },
  {
    id: 'body.read-method',
    source: 'rule 8',
    behavior: 'A GET or HEAD with a body is refused, however the body is framed.',
  },
  {
    id: 'body.slow',
    source: 'RFC 9110 15.5.9',
    behavior: 'A body that does not arrive in time is refused with 408, and spends nothing.',
  },
  {
    id: 'body.gone',
    source: 'rule 2',
    behavior: 'A client that goes away within its body spends nothing; the API goes on.',
  },
  {
    id: 'use.aborted',
    source: 'rule 2',
    behavior: 'A client that goes away after the redeem has used its use, and the trail says so.',
  },
  {
    id: 'side.method',
    source: 'never 2',
    behavior: 'HEAD, OPTIONS, TRACE, CONNECT and unknown methods run no handler of a guarded route.',
  },
  {
    id: 'side.trailers',
    source: 'RFC 9110 6.5',
    behavior: 'Fields in a trailer section count for nothing.',
  },
  {
    id: 'side.pipeline',
    source: 'RFC 9112 9.3.2',
    behavior: 'Requests in one connection are each checked for themselves.',
  },
  {
    id: 'side.upgrade',
    source: 'RFC 6455 4.2',
    behavior: 'A request that upgrades to a WebSocket is refused: a socket would outlive its grant.',
  },
  {
    id: 'side.override',
    source: 'never 2',
    behavior: 'A method that a header overrides is bound by the proof to what runs, never to what was on the wire.',
  },
  {
    id: 'side.unguarded',
    source: 'never 2',
    behavior:
      'An app does not boot where a declared route stands where no plugin guards it, or two routes share its place.',
  },
  {
    id: 'flood.keys',
    source: 'rule 7',
    behavior: 'A flood of key ids that nobody has costs the issuer one fetch in a cool-down.',
  },
  {
    id: 'flood.trail',
    source: 'rule 10',
    behavior: 'What strangers send makes the trail grow by one event a reason and window.',
  },
]
