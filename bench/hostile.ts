// Requests that are made to cost, as they go over the wire: for every door that is open to strangers, the bodies and heads
// that are worst for whoever reads them.

/** A request; where it answers a challenge, `session` is made first and is not counted. */
export interface HostileRequest {
  readonly name: string
  readonly make: (session: Session) => Buffer
  readonly needsSession: boolean
}

/** The answer to auth. */
export interface Session {
  readonly cookie: string
  readonly nonce: string
}

/** Every guest begins with this. */
export const CHALLENGE = '{"version":"0.4.0","tee":"tdx","extra-params":""}'

/** The largest attestation that is read. */
const ATTESTATION_BYTES = 1792 * 1024

const PUBLIC_KEY =
  '{"alg":"ECDH-ES+A256KW","crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",' +
  '"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}'

export function post(path: string, body: string, headers = '', method = 'POST'): Buffer {
  const length = Buffer.byteLength(body)
  const head = `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}Content-Length: ${length}\r\n\r\n`
  return Buffer.from(head + body)
}

function get(path: string, headers = ''): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`)
}

function chunked(path: string, chunks: string): Buffer {
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
  )
}

const nested = (bytes: number) => '['.repeat(bytes / 2) + ']'.repeat(bytes / 2)
const names = (count: number) => `{${Array.from({ length: count }, (_, n) => `"${n}":0`).join(',')}}`
const crumbs = (count: number) => '1\r\nx\r\n'.repeat(count)

const LARGE: Readonly<Record<string, string>> = {
  'nested arrays': nested(1_800_000),
  'many names': names(190_000),
  'many numbers': `[${'1,'.repeat(900_000)}1]`,
  'a long string': `"${'A'.repeat(1_900_000)}"`,
  escapes: `"${'\\u0041'.repeat(300_000)}"`,
}

/** Up to what an attestation may have, and to the limits of its JSON. */
const EVIDENCE: Readonly<Record<string, string>> = {
  'names up to the limit': names(1900),
  'numbers up to the limit': `{"x":[${'1,'.repeat(79_000)}1]}`,
  'numbers with fractions': `{"x":[${'1.000000001e1,'.repeat(28_000)}1]}`,
  'numbers with fractions beyond it': `{"x":[${'1.000000001e1,'.repeat(79_000)}1]}`,
  'one long number': `{"x":${'1'.repeat(390_000)}}`,
  'strings with an escape each': `{"x":[${'"\\n",'.repeat(65_000)}1]}`,
  'a long string': `{"quote":"${'A'.repeat(1_800_000)}"}`,
  'a long string with escapes': `{"quote":"${`\\"${'A'.repeat(25)}`.repeat(65_000)}"}`,
  'a long name with escapes': `{"${`\\"${'A'.repeat(25)}`.repeat(65_000)}":1}`,
  'letters beyond ASCII': `{"quote":"${'\u{1f600}'.repeat(450_000)}"}`,
  'escaped quotes': `{"quote":"${'\\"'.repeat(900_000)}"}`,
  spaces: `{${' '.repeat(1_800_000)}}`,
  'an event log': `{"quote":"${'A'.repeat(6_600)}","cc_eventlog":"${'A'.repeat(1_400_000)}"}`,
}

function attestation(nonce: string, evidence: string, initData = 'null', additional = ''): string {
  const text = JSON.stringify(additional)
  return (
    `{"init-data":${initData},"runtime-data":{"nonce":"${nonce}","tee-pubkey":${PUBLIC_KEY}},` +
    `"tee-evidence":{"primary_evidence":${evidence},"additional_evidence":${text}}}`
  )
}

const stranger = (name: string, bytes: Buffer): HostileRequest => ({
  name,
  make: () => bytes,
  needsSession: false,
})

const attester = (name: string, body: (nonce: string) => string): HostileRequest => ({
  name: `attest, ${name}`,
  make: ({ cookie, nonce }) => post('/kbs/v0/attest', body(nonce), `Cookie: ${cookie}\r\n`),
  needsSession: true,
})

/** Refused, or answered to anybody, without a session. */
export const STRANGERS: readonly HostileRequest[] = [
  ...Object.entries(LARGE).flatMap(([what, body]) => [
    stranger(`auth, ${what}`, post('/kbs/v0/auth', body)),
    stranger(`attest without session, ${what}`, post('/kbs/v0/attest', body)),
    stranger(`unknown route, ${what}`, post('/nothing', body)),
    stranger(`/v1/verify without token, ${what}`, post('/v1/verify', body)),
    stranger(`/v1/policies without token, ${what}`, post('/v1/policies/x', body, '', 'PUT')),
  ]),
  stranger('auth, 1 KiB of nested arrays', post('/kbs/v0/auth', nested(1024))),
  stranger('auth, 1 KiB of names', post('/kbs/v0/auth', names(140))),
  stranger('unknown route, 512 KiB that are dropped', post('/nothing', nested(ATTESTATION_BYTES))),
  stranger(
    'auth, in chunks with extensions',
    chunked('/kbs/v0/auth', `1;${'a'.repeat(1000)}\r\nx\r\n`.repeat(200)),
  ),
  stranger(
    'wrong token',
    get('/v1/secrets', `Authorization: Bearer cmt_${'a'.repeat(16)}_${'a'.repeat(43)}\r\n`),
  ),
  stranger(
    'a long wrong token',
    get('/kbs/v0/resource/a/b/c', `Authorization: Bearer ${'a'.repeat(100_000)}\r\n`),
  ),
  stranger('a long cookie', get('/kbs/v0/resource/a/b/c', `Cookie: ${'a=b;'.repeat(30_000)}\r\n`)),
  stranger(
    'many headers',
    get('/healthz', Array.from({ length: 1900 }, (_, n) => `x${n}: ${n}\r\n`).join('')),
  ),
  stranger('a long path', get(`/${'/'.repeat(100_000)}`)),
  stranger('a long query', get(`/v1/info?${'a=1&'.repeat(20_000)}`)),
  stranger('a long tile', get(`/log/tile/${'x000/'.repeat(2000)}1`)),
  ...['/healthz', '/readyz', '/v1/info', '/v1/openapi.json', '/.well-known/jwks.json', '/log/checkpoint'].map(
    path => stranger(`GET ${path}`, get(path)),
  ),
]

/** In a good session: the first look is at all of the body. */
export const ATTESTERS: readonly HostileRequest[] = [
  ...Object.entries(EVIDENCE).map(([what, evidence]) =>
    attester(what, nonce => attestation(nonce, evidence)),
  ),
  attester('nested arrays', () => nested(ATTESTATION_BYTES)),
  attester('init-data of many keys', nonce =>
    attestation(
      nonce,
      '{}',
      JSON.stringify({
        format: 'toml',
        body: `algorithm = "sha256"\nversion = "0.1.0"\n[data]\n${Array.from({ length: 110_000 }, (_, n) => `k${n} = "v"\n`).join('')}`,
      }),
    ),
  ),
  attester('an additional text of names', nonce =>
    attestation(nonce, '{}', 'null', `{"casemate-enclave":${names(1900)}}`),
  ),
  attester('1.8 MB', () => nested(1_800_000)),
]

/** Bytes of it are parsed whatever is answered; of one client only a few are taken (`stranger-allowance.ts`). */
export const PARSED_ANYWAY: readonly HostileRequest[] = [
  stranger('auth, in chunks of a byte', chunked('/kbs/v0/auth', crumbs(11_000))),
  stranger('unknown route, in chunks of a byte', chunked('/nothing', crumbs(11_000))),
  stranger('2,000 pipelined requests', Buffer.from('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2000))),
  {
    name: 'attest, in chunks of a byte',
    make: ({ cookie }) => {
      const head = `POST /kbs/v0/attest HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nTransfer-Encoding: chunked\r\n\r\n`
      return Buffer.from(`${head}${crumbs(11_000)}0\r\n\r\n`)
    },
    needsSession: true,
  },
]
