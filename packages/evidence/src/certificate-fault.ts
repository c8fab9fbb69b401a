// What is wrong with the certificate of a TLS server, by the code that OpenSSL or Node gives below a failed `fetch`: a
// broker's, or that of a service of endorsements. Three faults, each with what a person can do about it.

import { escapeUnfit } from './untrusted-text.ts'

export type CertificateFaultCode =
  | 'certificate-untrusted'
  | 'certificate-name-mismatch'
  | 'certificate-expired'

export interface CertificateFault {
  readonly code: CertificateFaultCode
  readonly message: string
  readonly hint: string
}

/** Of what a certificate or OpenSSL says, in a message. */
const MAX_TOLD = 200

type Row = readonly [code: CertificateFaultCode, message: string, hint: string]

const UNTRUSTED: Row = [
  'certificate-untrusted',
  'is not issued by an authority that is trusted here',
  'where the authority is your own, name its certificate with --ca-file or CASEMATE_CA_FILE; the server has to serve the certificates between as well',
]

const UNFIT: Row = [
  'certificate-untrusted',
  'or one above it is not fit for a server',
  'have it issued anew: an authority above it has to be one that may issue it, and its own extended key usage, where it has one, serverAuth',
]

const FAULTS: ReadonlyMap<string, Row> = new Map<string, Row>([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNTRUSTED],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT', UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNTRUSTED],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNTRUSTED],
  ['CERT_SIGNATURE_FAILURE', UNTRUSTED],
  ['CERT_UNTRUSTED', UNTRUSTED],
  ['INVALID_PURPOSE', UNFIT],
  ['INVALID_CA', UNFIT],
  ['PATH_LENGTH_EXCEEDED', UNFIT],
  ['CERT_CHAIN_TOO_LONG', UNFIT],
  ['CERT_REJECTED', UNFIT],
  ['CERT_REVOKED', UNFIT],
  ['UNABLE_TO_DECRYPT_CERT_SIGNATURE', UNFIT],
  ['UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY', UNFIT],
  ['ERROR_IN_CERT_NOT_BEFORE_FIELD', UNFIT],
  ['ERROR_IN_CERT_NOT_AFTER_FIELD', UNFIT],
  // Whatever Node has no name for, such as a name that the authority may not issue, or a weak signature.
  ['UNSPECIFIED', UNFIT],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    [
      'certificate-name-mismatch',
      'is for another name',
      'use the name that is in the certificate, or have one issued with this name as subjectAltName',
    ],
  ],
  [
    'CERT_HAS_EXPIRED',
    ['certificate-expired', 'has expired', 'renew it on the server; is the clock of this machine right?'],
  ],
  ['CERT_NOT_YET_VALID', ['certificate-expired', 'is not valid yet', 'is the clock of this machine right?']],
])

/** Null where what was thrown says nothing of a certificate. `server` is how the message calls it. */
export function certificateFault(thrown: unknown, server: string): CertificateFault | null {
  const system = systemCode(thrown) ?? ''
  const row = FAULTS.get(system)
  if (row === undefined) return null
  const [code, message, hint] = row
  return { code, message: `the certificate of ${server} ${message} (${reasonOf(thrown, system)})`, hint }
}

/** The names that the certificate has; where the fault itself has no name, OpenSSL's own words. */
function reasonOf(thrown: unknown, system: string): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined
  if (!(cause instanceof Error)) return system
  if (system === 'UNSPECIFIED' && cause.message !== '') return cause.message.slice(0, MAX_TOLD)
  const names = namesIn('cert' in cause ? cause.cert : undefined)
  return names === null ? system : `${system}; it has ${names}`
}

/** A server that is not trusted wrote them. */
function namesIn(certificate: unknown): string | null {
  if (typeof certificate !== 'object' || certificate === null || !('subjectaltname' in certificate))
    return null
  const { subjectaltname: names } = certificate
  return typeof names === 'string' && names !== '' ? escapeUnfit(names.slice(0, MAX_TOLD)) : null
}

/** The code below `fetch failed`, e.g. `ECONNREFUSED`; undefined where there is none. */
export function systemCode(thrown: unknown): string | undefined {
  const cause = thrown instanceof Error ? thrown.cause : undefined
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
}
