// One side proves itself with these for as long as they last: a key for TLS, another one that signs for sessions, and
// the certificate that vouches for both by evidence. All of it is made in memory and never leaves it.
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { AttestationDriver, EnclaveStatement } from '@casemate/enclave'
import { REPORT_DATA_SIZE } from '@casemate/enclave'
import { issueCertificate } from '../certificate/issue.ts'
import { ChannelError } from '../errors.ts'
import { encodeCarried } from '../evidence/carried.ts'
import { encodeClaims } from '../evidence/claims-buffer.ts'
import { sha256 } from '../sha256.ts'

/** How far a peer's clock may be behind this one's. */
const CLOCK_SKEW_MS = 60_000

export interface Credentials {
  /** DER. */
  readonly certificate: Uint8Array
  readonly certificatePem: string
  readonly keyPem: string
  /** Signs for sessions; null if nothing vouches for it. */
  readonly bindingKey: KeyObject | null
  readonly notAfter: Date
}

export interface CredentialsRequest {
  /** `'none'`: the certificate carries no evidence, and proves nothing. */
  readonly driver: AttestationDriver | 'none'
  /** The enclave image that this process runs; null if it runs none. */
  readonly statement: EnclaveStatement | null
  readonly now: Date
  readonly lifetimeMs: number
}

/** @throws {ChannelError} identity-failed */
export async function makeCredentials(request: CredentialsRequest): Promise<Credentials> {
  const { driver, now, lifetimeMs } = request
  const { privateKey, spki } = newKey()
  const bindingKey = driver === 'none' ? null : newKey()
  // Whole seconds, as certificates count.
  const notBefore = wholeSeconds(now.getTime() - CLOCK_SKEW_MS)
  const notAfter = wholeSeconds(now.getTime() + lifetimeMs)
  const evidence =
    bindingKey === null || driver === 'none'
      ? null
      : await makeEvidence(driver, {
          keyHash: { algorithm: 'sha256', digest: sha256(spki) },
          nonce: null,
          bindingKey: bindingKey.spki,
          window: { notBefore, notAfter },
          sigstruct: request.statement?.sigstruct ?? null,
        })
  const certificate = issueCertificate({ privateKey, spki, evidence, notBefore, notAfter })
  return {
    certificate,
    certificatePem: pem('CERTIFICATE', certificate),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    bindingKey: bindingKey?.privateKey ?? null,
    notAfter,
  }
}

async function makeEvidence(
  driver: AttestationDriver,
  claims: Parameters<typeof encodeClaims>[0],
): Promise<Uint8Array> {
  const claimsBuffer = encodeClaims(claims)
  return encodeCarried(await quoteOf(driver, sha256(claimsBuffer)), claimsBuffer)
}

/** Evidence with this digest in the first half of its report data. @throws {ChannelError} identity-failed */
export async function quoteOf(
  driver: AttestationDriver,
  digest: Uint8Array,
): ReturnType<AttestationDriver['quote']> {
  const reportData = new Uint8Array(REPORT_DATA_SIZE)
  reportData.set(digest)
  try {
    return await driver.quote(reportData)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ChannelError('identity-failed', `${driver.source} gave no evidence: ${why}`, { cause })
  }
}

function newKey(): { readonly privateKey: KeyObject; readonly spki: Uint8Array } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { privateKey, spki: publicKey.export({ type: 'spki', format: 'der' }) }
}

function wholeSeconds(milliseconds: number): Date {
  return new Date(Math.floor(milliseconds / 1000) * 1000)
}

function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
