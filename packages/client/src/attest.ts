// The handshake of the Confidential Containers KBS protocol 0.4.0 (request, challenge, attestation, result), and
// what it is for: a secret, encrypted to a key that the evidence binds.

import { ClientConfigError, refuse } from './failure.ts'
import { type Http, type HttpOptions, openHttp } from './http.ts'
import { DEFAULT_HASH, reportDataOf, SUPPORTED_HASHES } from './runtime-data.ts'
import { decryptSecret, resourcePath } from './secret.ts'
import { generateTeeKey, type KeyType, type TeeKey } from './tee-key.ts'
import { fetchTokenKeys, type TokenClaims, verifyToken } from './token.ts'

/** The protocol version that is spoken. */
export const PROTOCOL_VERSION = '0.4.0'

/** The `issuer` of a broker that was not told another. */
export const DEFAULT_ISSUER = 'casemate'

/** Whoever can get evidence for given report data: a driver of the hardware, or the simulator. */
export interface Attester {
  /** The TEE's name on the wire, e.g. `tdx`. */
  readonly tee: string
  /** The `primary_evidence` of the KBS protocol for these 64 bytes of report data. */
  readonly evidence: (reportData: Uint8Array) => Promise<unknown>
  /** `additional_evidence`: a JSON text, bound by the report data as it stands. Absent: there is none. */
  readonly additionalEvidence?: string
}

/** Init-data, whose digest the hardware bound at launch. */
export interface InitData {
  readonly format: 'toml'
  /** The TOML text, byte for byte as it was hashed. */
  readonly body: string
}

/** How a workload reaches the broker that it takes its secrets from. */
export interface WorkloadOptions extends HttpOptions {
  /**
   * INSECURE unless the network itself is trusted. Over plain http anyone on the way can be the broker: its keys, its
   * token and the secret itself can be forged, as encryption to the TEE's key says nothing about who encrypted.
   * They cannot read a secret that the real broker released. Absent or false, only https and addresses of
   * this machine are spoken to. For clusters where the guest components reach their broker by http.
   */
  readonly allowPlainHttpInsecure?: boolean
}

/** Options of an attestation. */
export interface AttestOptions extends WorkloadOptions {
  readonly attester: Attester
  /** Default: P-256. */
  readonly keyType?: KeyType
  /** True if the private key is to be handed to other software of the same TEE; default: it cannot leave. */
  readonly extractableKey?: boolean
  readonly initData?: InitData
  /** Default: the system's clock. */
  readonly now?: () => Date
  /** The token's `iss` and `aud`, as the broker is configured; default: {@link DEFAULT_ISSUER}. */
  readonly issuer?: string
}

/** A workload that has proved itself to one broker. */
export interface AttestedSession {
  /** The attestation result (EAR, a JWT), checked. */
  readonly token: string
  readonly claims: TokenClaims
  readonly key: TeeKey
  /** Fetches and decrypts `repository/type/tag`. @throws {BrokerRefusal} */
  readonly getSecret: (path: string) => Promise<Uint8Array>
}

/** Attests to a broker. @throws {BrokerRefusal} @throws {Unavailable} @throws {ClientConfigError} url-insecure */
export async function attest(options: AttestOptions): Promise<AttestedSession> {
  const http = openTrusted(options)
  const challenge = await requestChallenge(http, options.attester.tee)
  const key = await generateTeeKey(options.keyType ?? 'P-256', options.extractableKey)
  const token = await sendEvidence(http, challenge, key, options)
  const now = options.now ?? (() => new Date())
  const issuer = options.issuer ?? DEFAULT_ISSUER
  const claims = await verifyToken(token, await fetchTokenKeys(http), {
    issuer,
    audience: issuer,
    nonce: challenge.nonce,
    publicJwk: key.publicJwk,
    now: now(),
  })
  return { token, claims, key, getSecret: path => fetchSecret(http, { path, token, key }) }
}

/** A secret needs an attestation of now, or an earlier one's token with the key that it binds. */
export type GetSecretOptions = { readonly path: string } & (
  | AttestOptions
  | (WorkloadOptions & { readonly token: string; readonly key: TeeKey })
)

/** Fetches and decrypts one secret. @throws {BrokerRefusal} @throws {Unavailable} @throws {ClientConfigError} url-insecure */
export async function getSecret(options: GetSecretOptions): Promise<Uint8Array> {
  resourcePath(options.path)
  if ('attester' in options) return (await attest(options)).getSecret(options.path)
  return fetchSecret(openTrusted(options), options)
}

/** A broker that cannot be mistaken for another, but for what the caller says to accept. */
function openTrusted(options: WorkloadOptions): Http {
  const http = openHttp(options)
  if (http.secure || options.allowPlainHttpInsecure === true) return http
  throw new ClientConfigError(
    'url-insecure',
    `${http.url} is neither https nor this machine: anyone on the way could be the broker`,
    'use the https URL of the broker; where the network itself is trusted, allowPlainHttpInsecure accepts http',
  )
}

interface Challenge {
  readonly nonce: string
  readonly hash: string
  /** The session cookie, where the runtime lets us see it; a browser keeps and sends it by itself. */
  readonly cookie: string | null
}

async function requestChallenge(http: Http, tee: string): Promise<Challenge> {
  const answer = await http.send({
    method: 'POST',
    path: '/kbs/v0/auth',
    body: {
      version: PROTOCOL_VERSION,
      tee,
      'extra-params': { 'supported-hash-algorithms': SUPPORTED_HASHES },
    },
  })
  const body = answer.json()
  if (typeof body !== 'object' || body === null || !('nonce' in body) || typeof body.nonce !== 'string') {
    throw refuse('response-malformed', 'the challenge has no nonce')
  }
  if (!body.nonce.isWellFormed()) throw refuse('response-malformed', 'the challenge’s nonce is not Unicode')
  const extra: unknown = 'extra-params' in body ? body['extra-params'] : ''
  const selected: unknown =
    typeof extra === 'object' && extra !== null ? Reflect.get(extra, 'selected-hash-algorithm') : undefined
  const hash = typeof selected === 'string' ? selected : DEFAULT_HASH
  return { nonce: body.nonce, hash, cookie: sessionCookie(answer.headers) }
}

function sessionCookie(headers: Headers): string | null {
  for (const line of headers.getSetCookie()) {
    const pair = line.split(';', 1)[0]
    if (pair?.startsWith('kbs-session-id=')) return pair
  }
  return null
}

// oxlint-disable-next-line max-params -- one handshake's state, each part made by the line above the call
async function sendEvidence(
  http: Http,
  challenge: Challenge,
  key: TeeKey,
  options: AttestOptions,
): Promise<string> {
  const { additionalEvidence = '' } = options.attester
  const reportData = await reportDataOf(
    { nonce: challenge.nonce, publicJwk: key.publicJwk, additionalEvidence },
    challenge.hash,
  )
  const answer = await http.send({
    method: 'POST',
    path: '/kbs/v0/attest',
    headers: challenge.cookie === null ? {} : { cookie: challenge.cookie },
    body: {
      'init-data': options.initData ?? null,
      'runtime-data': { nonce: challenge.nonce, 'tee-pubkey': key.publicJwk },
      'tee-evidence': {
        primary_evidence: await options.attester.evidence(reportData),
        additional_evidence: additionalEvidence,
      },
    },
  })
  const body = answer.json()
  if (typeof body === 'object' && body !== null && 'token' in body && typeof body.token === 'string') {
    return body.token
  }
  throw refuse('response-malformed', 'the attestation’s answer has no token')
}

async function fetchSecret(
  http: Http,
  wanted: { readonly path: string; readonly token: string; readonly key: TeeKey },
): Promise<Uint8Array> {
  const answer = await http.send({
    path: `/kbs/v0/resource/${resourcePath(wanted.path)}`,
    headers: { authorization: `Bearer ${wanted.token}` },
  })
  return decryptSecret(answer.json(), wanted.key)
}
