// The inputs and answers of each KBS route, as data for its description.

import { type TSchema, Type } from 'typebox'
import type { BrokerErrorCode } from '../errors.ts'
import { SEGMENT_PATTERN, SEGMENT_WORDS } from '../secret-path.ts'
import { ATTEST, AUTH, LEGACY_ATTEST, REFERENCE_VALUE } from './body.ts'

export interface KbsOperation {
  readonly path: string
  readonly method: 'get' | 'post' | 'delete'
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  /** Any one of them; none where everybody may. */
  readonly security: readonly ('session' | 'attestationToken' | 'administrator')[]
  /** Of every part of the path. */
  readonly parameters?: TSchema
  readonly body?: { readonly type: string; readonly schema: TSchema; readonly optional?: true }
  readonly answer?: object
  /** Beside those of every operation. */
  readonly errors: readonly BrokerErrorCode[]
}

const SEGMENT = Type.String({ pattern: SEGMENT_PATTERN, description: SEGMENT_WORDS })
const TEXT = Type.String()
/** The protocol has empty secrets, and takes none for one. */
const SECRET = Type.Unsafe({ type: 'string', format: 'binary' })
const OF_ADMINISTRATORS = ['token-missing', 'token-invalid', 'token-expired'] as const
const COOKIE = { 'Set-Cookie': { description: 'kbs-session-id', schema: TEXT } } as const

const Challenge = Type.Object(
  {
    nonce: Type.String(),
    'extra-params': Type.Union([
      Type.Literal(''),
      Type.Object({ 'selected-hash-algorithm': Type.Enum(['sha512', 'sha256']) }),
    ]),
  },
  { title: 'Challenge' },
)

const AttestationToken = Type.Object(
  { token: Type.String({ description: 'an attestation result (EAR), JWT' }) },
  { title: 'AttestationToken' },
)

const Released = Type.Object(
  {
    protected: TEXT,
    encrypted_key: TEXT,
    iv: TEXT,
    ciphertext: TEXT,
    tag: TEXT,
  },
  { title: 'Jwe', description: 'Flattened JWE (RFC 7516, 7.2.2), encrypted to the attested key.' },
)

const Attestation = Type.Union([ATTEST, LEGACY_ATTEST], {
  title: 'AttestRequest',
  description: 'The first form for protocol 0.4.0, the second for those before it.',
})

const PolicyMessage = Type.Object(
  {},
  { title: 'PolicyMessage', description: 'Whatever it says, it is refused.' },
)

const RESOURCE = '/kbs/v0/resource/{repository}/{type}/{tag}'

const GUEST: readonly KbsOperation[] = [
  {
    path: '/kbs/v0/auth',
    method: 'post',
    operationId: 'authenticate',
    summary: 'Begin a handshake: get a challenge',
    tags: ['guest'],
    security: [],
    body: { type: 'application/json', schema: Type.Object({ ...AUTH.properties }, { title: 'AuthRequest' }) },
    answer: { headers: COOKIE, ...json(Challenge) },
    errors: [
      'request-malformed',
      'protocol-version-unsupported',
      'tee-unsupported',
      'hash-algorithm-unsupported',
      'rate-limited',
    ],
  },
  {
    path: '/kbs/v0/attest',
    method: 'post',
    operationId: 'attest',
    summary: 'Answer the challenge with evidence: get an attestation result',
    tags: ['guest'],
    security: ['session'],
    body: { type: 'application/json', schema: Attestation },
    answer: { headers: COOKIE, ...json(AttestationToken) },
    errors: [
      'request-malformed',
      'session-missing',
      'session-invalid',
      'session-expired',
      'nonce-mismatch',
      'tee-key-unsupported',
      'device-evidence-unsupported',
      'init-data-invalid',
      'evidence-refused',
      'appraisal-refused',
      'conflict',
      'rate-limited',
      'stored-document-invalid',
      'endorsements-unavailable',
    ],
  },
  {
    path: RESOURCE,
    method: 'get',
    operationId: 'getResource',
    summary: 'Fetch a secret, encrypted to the attested key',
    tags: ['guest'],
    security: ['session', 'attestationToken'],
    parameters: SEGMENT,
    answer: json(Released),
    errors: [
      'attestation-token-missing',
      'attestation-token-invalid',
      'attestation-token-expired',
      'session-invalid',
      'session-expired',
      'tee-key-unsupported',
      'release-denied',
      'secret-missing',
      'name-invalid',
      'conflict',
    ],
  },
]

const ADMINISTRATION: readonly KbsOperation[] = [
  {
    path: RESOURCE,
    method: 'post',
    operationId: 'setResource',
    summary: 'Put a new version of a secret (role writer)',
    tags: ['administration'],
    security: ['administrator'],
    parameters: SEGMENT,
    body: { type: 'application/octet-stream', schema: SECRET, optional: true },
    errors: [...OF_ADMINISTRATORS, 'role-insufficient', 'name-invalid', 'conflict'],
  },
  {
    path: RESOURCE,
    method: 'delete',
    operationId: 'deleteResource',
    summary: 'Delete a secret (role writer)',
    tags: ['administration'],
    security: ['administrator'],
    parameters: SEGMENT,
    errors: [...OF_ADMINISTRATORS, 'role-insufficient', 'secret-missing', 'name-invalid', 'conflict'],
  },
  refused('/kbs/v0/attestation-policy', 'setAttestationPolicy'),
  refused('/kbs/v0/resource-policy', 'setResourcePolicy'),
  {
    path: '/kbs/v0/resource-policy',
    method: 'get',
    operationId: 'listResourcePolicies',
    summary: 'List the names of release rules (role auditor)',
    tags: ['administration'],
    security: ['administrator'],
    answer: json(Type.Array(TEXT)),
    errors: OF_ADMINISTRATORS,
  },
  {
    path: '/kbs/v0/reference-value',
    method: 'post',
    operationId: 'setReferenceValues',
    summary: 'Put reference values (role writer)',
    tags: ['administration'],
    security: ['administrator'],
    body: {
      type: 'application/json',
      schema: Type.Object({ ...REFERENCE_VALUE.properties }, { title: 'ReferenceValueMessage' }),
    },
    errors: [
      ...OF_ADMINISTRATORS,
      'request-malformed',
      'reference-invalid',
      'role-insufficient',
      'precondition-failed',
      'conflict',
    ],
  },
  {
    path: '/kbs/v0/reference-value/{name}',
    method: 'get',
    operationId: 'getReferenceValue',
    summary: 'Read a reference value (role auditor)',
    tags: ['administration'],
    security: ['administrator'],
    answer: json(Type.Unknown()),
    errors: [...OF_ADMINISTRATORS, 'reference-missing'],
  },
]

export const KBS_OPERATIONS: readonly KbsOperation[] = [...GUEST, ...ADMINISTRATION]

function refused(path: string, operationId: string): KbsOperation {
  return {
    path,
    method: 'post',
    operationId,
    summary: 'Refused: Rego is not run here; the answer says what to do instead (role writer)',
    tags: ['administration'],
    security: ['administrator'],
    body: { type: 'application/json', schema: PolicyMessage },
    errors: [...OF_ADMINISTRATORS, 'rego-unsupported', 'role-insufficient'],
  }
}

function json(schema: TSchema): object {
  return { content: { 'application/json': { schema } } }
}
