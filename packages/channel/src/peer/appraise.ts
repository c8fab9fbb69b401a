// From a certificate to a verdict: the evidence in it is verified, is found to be made for this very key, and is
// what was wanted. None of these is optional; what a policy may leave open is said by the policy.
import { createHash, createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { appraise } from '@casemate/appraisal'
import {
  type Endorsements,
  type ParsedEvidence,
  parse,
  Refusal,
  type Verified,
  verify,
  verifyEnclave,
} from '@casemate/evidence'
import { equal, toHex } from '@casemate/evidence/bytes'
import { type PeerCertificate, readPeerCertificate } from '../certificate/read.ts'
import { ChannelError } from '../errors.ts'
import { type CarriedEvidence, readCarried } from '../evidence/carried.ts'
import { type AttestedWindow, type BoundClaims, decodeClaims } from '../evidence/claims-buffer.ts'
import { sha256 } from '../sha256.ts'
import type { Peer, PeerDemands } from './demands.ts'

const REPORT_DATA_HEX_DIGITS = 128

/** The peer's certificate as its socket gives it. */
export type TlsCertificate = Pick<X509Certificate, 'raw' | 'publicKey'>

/** The verdict on a certificate under given demands, until `peer.validUntil`. */
export interface Verdict {
  readonly peer: Peer
  /** Checks what the peer signs for a session; null in evidence of other makes. */
  readonly bindingKey: KeyObject | null
  /** Of the enclave that the peer states; null if it states none. */
  readonly sigstruct: Uint8Array | null
  /** From here on: a clock that goes back finds another verdict. */
  readonly validFrom: Date
}

/** @throws {ChannelError} certificate-*, evidence-*, key-not-bound, appraisal-refused */
export async function appraiseCertificate(tls: TlsCertificate, demands: PeerDemands): Promise<Verdict> {
  const now = demands.now()
  const certificate = readPeerCertificate(tls)
  checkWindow(certificate, now, 'the certificate')
  const carried = readCarried(certificate.extensions)
  const bound = carried.claimsBuffer === null ? null : decodeClaims(carried.claimsBuffer)
  checkKeyHash(certificate, bound)
  if (bound?.window) checkWindow(bound.window, now, 'what the evidence states')
  const platform = await verifyEvidence(carried.evidence, demands, now)
  checkReportData(platform, digestOf(carried, certificate))
  const sigstruct = bound?.sigstruct ?? null
  const verified = await withEnclave(platform, sigstruct)
  const bindingKey = bound?.bindingKey ?? null
  const appraised = appraiseVerified(verified, demands, now)
  return {
    peer: {
      ...appraised,
      certificate: tls.raw,
      freshness: 'cached',
      validUntil: earliest(appraised.validUntil, certificate.notAfter, bound?.window?.notAfter),
    },
    bindingKey: bindingKey === null ? null : importBindingKey(bindingKey),
    sigstruct,
    validFrom: now,
  }
}

/**
 * Evidence that was made for one session, of the machine and code that the verdict is about.
 * @throws {ChannelError} evidence-refused, session-evidence-invalid, appraisal-refused
 */
export async function appraiseSessionEvidence(
  evidence: Uint8Array,
  digest: Uint8Array,
  { verdict, demands }: { readonly verdict: Verdict; readonly demands: PeerDemands },
): Promise<Peer> {
  const now = demands.now()
  const platform = await verifyEvidence(evidence, demands, now)
  const { claims } = platform
  const before = verdict.peer.claims
  if (claims.reportData !== padded(digest)) {
    throw new ChannelError('session-evidence-invalid', 'the evidence was made for another session', {
      expected: padded(digest),
      got: claims.reportData,
    })
  }
  for (const field of ['kind', 'measurement', 'signer', 'hardwareId'] as const) {
    if (claims[field] === before[field]) continue
    throw new ChannelError(
      'session-evidence-invalid',
      `its ${field} is not that of the certificate’s evidence`,
      {
        expected: String(before[field]),
        got: String(claims[field]),
      },
    )
  }
  // The key that signed for this session was attested together with the enclave that it stands for.
  const appraised = appraiseVerified(await withEnclave(platform, verdict.sigstruct), demands, now)
  return {
    ...appraised,
    certificate: verdict.peer.certificate,
    freshness: 'session',
    validUntil: earliest(appraised.validUntil, verdict.peer.validUntil),
  }
}

async function verifyEvidence(bytes: Uint8Array, demands: PeerDemands, now: Date): Promise<Verified> {
  const { anchors, policy, endorsements } = demands
  return refusing(async () => {
    const evidence: ParsedEvidence = parse(bytes)
    const bag = typeof endorsements === 'function' ? await found(endorsements(evidence)) : endorsements
    const minTcbEvaluationDataNumber = policy.tcb.minEvaluationDataNumber
    return verify(evidence, bag, { now, anchors, minTcbEvaluationDataNumber })
  })
}

/** Both layers: the machine, and the enclave that it says it runs. */
async function withEnclave(verified: Verified, sigstruct: Uint8Array | null): Promise<Verified> {
  return sigstruct === null ? verified : refusing(() => verifyEnclave(verified, { sigstruct }))
}

/** @throws {ChannelError} evidence-refused, with the refusal inside */
async function refusing(verifying: () => Promise<Verified>): Promise<Verified> {
  try {
    return await verifying()
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    const { code, message, expected, got, hint } = cause
    throw new ChannelError('evidence-refused', `${code}: ${message}`, {
      ...(expected === undefined ? {} : { expected }),
      got: got ?? code,
      ...(hint === undefined ? {} : { hint }),
      cause,
    })
  }
}

/** @throws {ChannelError} endorsements-unavailable */
async function found(endorsements: Promise<Endorsements>): Promise<Endorsements> {
  try {
    return await endorsements
  } catch (cause) {
    if (cause instanceof Refusal) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    const hint: unknown = cause instanceof Error ? Reflect.get(cause, 'hint') : undefined
    throw new ChannelError('endorsements-unavailable', `no endorsements for the peer’s evidence: ${why}`, {
      ...(typeof hint === 'string' ? { hint } : {}),
      cause,
    })
  }
}

function appraiseVerified(
  { claims, steps, validUntil }: Verified,
  { policy, references }: PeerDemands,
  now: Date,
): Pick<Peer, 'claims' | 'result' | 'steps' | 'validUntil'> {
  // Nobody sends init-data here: a policy that wants it gets none, one that lists digests compares them.
  const initDataDigest = policy.initData === 'bound' ? 'none' : 'any'
  const binding = { reportData: claims.reportData, initDataDigest }
  const result = appraise({ claims, references, policy, binding, now })
  if (result.accepted) {
    const { freshUntil } = result
    const ends = freshUntil === null ? validUntil : earliest(validUntil, new Date(freshUntil))
    return { claims, result, steps, validUntil: ends }
  }
  const [first] = result.violations
  const more = result.violations.length > 1 ? `, and ${result.violations.length - 1} more` : ''
  throw new ChannelError(
    'appraisal-refused',
    `the peer is not what was wanted: ${first?.path ?? ''}${more}`,
    {
      ...(first === undefined ? {} : { expected: first.expected, got: first.got, hint: first.hint }),
      violations: result.violations,
    },
  )
}

/** The evidence names the key; that the report data names the evidence's claims is checked once it is verified. */
function checkKeyHash({ spki }: PeerCertificate, bound: BoundClaims | null): void {
  if (bound === null) return
  const { algorithm, digest } = bound.keyHash
  const got = createHash(algorithm).update(spki).digest()
  if (equal(got, digest)) return
  throw new ChannelError(
    'key-not-bound',
    'the evidence was made for another key than that of the certificate',
    {
      expected: toHex(digest),
      got: toHex(got),
      hint: 'somebody between you and the peer may be relaying its evidence',
    },
  )
}

/** The first half of the report data has to be this; Gramine hashes the key itself. */
function digestOf({ claimsBuffer }: CarriedEvidence, { spki }: PeerCertificate): Uint8Array {
  return sha256(claimsBuffer ?? spki)
}

function checkReportData({ claims }: Verified, digest: Uint8Array): void {
  if (claims.reportData === padded(digest)) return
  throw new ChannelError('key-not-bound', 'the report data does not vouch for what the certificate says', {
    expected: padded(digest),
    got: claims.reportData,
    hint: 'somebody between you and the peer may be replaying evidence',
  })
}

function padded(digest: Uint8Array): string {
  return toHex(digest).padEnd(REPORT_DATA_HEX_DIGITS, '0')
}

function checkWindow({ notBefore, notAfter }: AttestedWindow, now: Date, what: string): void {
  if (notBefore <= now && now <= notAfter) return
  const code = now < notBefore ? 'certificate-not-yet-valid' : 'certificate-expired'
  throw new ChannelError(code, `${what} is not valid now`, {
    expected: `between ${notBefore.toISOString()} and ${notAfter.toISOString()}`,
    got: now.toISOString(),
    hint: 'look at the clocks of both sides',
  })
}

function importBindingKey(spki: Uint8Array): KeyObject {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key
  } catch {
    // The same to the peer: its key cannot be used.
  }
  throw new ChannelError('evidence-malformed', 'the binding key in the claims is not a P-256 key')
}

function earliest(...dates: readonly (Date | undefined)[]): Date {
  return new Date(Math.min(...dates.filter(date => date !== undefined).map(Number)))
}
