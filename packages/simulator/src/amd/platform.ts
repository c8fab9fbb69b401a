// A virtual AMD platform: one machine’s secure processor, and the vendor behind it with a random root of its own.
// Settings and keys are its whole identity; everything else is issued from them, for any time that is wanted.

import { type SnpKbsEvidence, snpKbsEvidence, type TrustAnchor } from '@casemate/evidence'
import { type NamedEndorsement, type PublicTrust, publicTrust } from '../endorsement.ts'
import { generateEcKey, generateRsaKey, importKey } from '../keys.ts'
import { checkStored, type PlatformParts, type StoredPlatform, storePlatform } from '../stored.ts'
import { toPem } from '../x509.ts'
import { type AmdAuthority, type AmdFaults, type AmdKeys, arkName, issueAmdAuthority } from './authority.ts'
import { encodeSnpReport, type SnpReportRequest } from './report.ts'
import { type AmdSettings, type AmdSettingsOptions, AUTHORITY_MODULUS_BITS, amdSettings } from './settings.ts'

const FORMAT = 'casemate-simulated-amd-platform/1'

/** Names of a platform’s endorsements; `leaf.der` is its VCEK or VLEK. */
export type AmdEndorsementName = 'leaf.der' | 'cert-chain.pem' | 'crl.der'

export interface AmdPlatformOptions extends AmdSettingsOptions {
  /** When the platform is made and its endorsements are issued; the present unless given. */
  readonly now?: Date
  /** Default {@link AUTHORITY_MODULUS_BITS}; tests take 2048, which is ten times faster. */
  readonly modulusBits?: number
  /** Of the vendor; new random ones unless given. Tests make many machines of one vendor, whose keys take their time. */
  readonly authority?: AmdAuthorityKeys
  readonly faults?: AmdFaults
}

type AmdAuthorityKeys = Pick<AmdKeys, 'ark' | 'intermediate'>

/** Holds private keys. */
export type AmdPlatformJson = StoredPlatform<AmdSettings, keyof AmdKeys>

export interface AmdPlatform {
  readonly vendor: 'amd'
  readonly settings: AmdSettings
  readonly anchors: readonly TrustAnchor[]
  /** As of the platform’s `now`; the revocation list is good for a year. */
  readonly endorsements: readonly NamedEndorsement<AmdEndorsementName>[]
  /** The same, issued anew at another time. */
  endorsementsAt(now: Date): readonly NamedEndorsement<AmdEndorsementName>[]
  /** A report of 1,184 bytes, on request with a certificate table. */
  snpReport(request: SnpReportRequest): Uint8Array
  /** A report of this platform as a Confidential Containers guest sends it: decoded, with the leaf certificate. */
  kbsEvidence(report: Uint8Array): SnpKbsEvidence
  /** Anchors and endorsements without the private keys. */
  publicTrust(): PublicTrust
  /** @throws {TypeError} for a platform with faults, which are for tests only */
  toJSON(): AmdPlatformJson
}

/** Makes a platform with new random keys; with RSA-4096 that takes some seconds. */
export async function createAmdPlatform(options: AmdPlatformOptions = {}): Promise<AmdPlatform> {
  const { now = new Date(), modulusBits, authority, faults = {}, ...settings } = options
  const keys = { ...(authority ?? (await makeAuthorityKeys(modulusBits))), leaf: generateEcKey('P-384') }
  return assemble({ keys, settings: amdSettings(settings), createdAt: now, now, faults })
}

/** Keys of a vendor, to be shared by several of its machines. */
export async function makeAuthorityKeys(modulusBits = AUTHORITY_MODULUS_BITS): Promise<AmdAuthorityKeys> {
  const [ark, intermediate] = await Promise.all([generateRsaKey(modulusBits), generateRsaKey(modulusBits)])
  return { ark, intermediate }
}

/**
 * Reopens a stored platform, with its revocation list issued at `now`.
 * @throws {TypeError} if the document is not one that `toJSON` wrote
 */
export async function amdPlatformFromJSON(
  stored: AmdPlatformJson,
  { now = new Date() }: { readonly now?: Date } = {},
): Promise<AmdPlatform> {
  const { createdAt } = checkStored(stored, FORMAT)
  const keys: AmdKeys = {
    ark: importKey('rsa', stored.keys.ark),
    intermediate: importKey('rsa', stored.keys.intermediate),
    leaf: importKey('P-384', stored.keys.leaf),
  }
  return assemble({ keys, settings: amdSettings(stored.settings), createdAt, now, faults: {} })
}

type Parts = PlatformParts<AmdSettings, AmdKeys, AmdFaults>

function assemble(parts: Parts): AmdPlatform {
  const { keys, settings } = parts
  const authority = issueAmdAuthority(parts)
  const anchors: readonly TrustAnchor[] = [
    { vendor: 'amd', name: arkName(settings.product), spki: keys.ark.spki, simulated: true },
  ]
  const endorsements = asServed(authority)
  const source = { settings, key: keys.leaf, authority }
  const leaf = { type: settings.signingKey, bytes: authority.leaf }
  return {
    vendor: 'amd',
    settings,
    anchors,
    endorsements,
    endorsementsAt: now => asServed(issueAmdAuthority({ ...parts, now })),
    snpReport: request => encodeSnpReport(source, request),
    kbsEvidence: report => snpKbsEvidence(report, [leaf]),
    publicTrust: () => publicTrust(anchors, endorsements),
    toJSON: () => storePlatform(parts, FORMAT),
  }
}

/** As the Key Distribution Service serves them: the leaf in DER, the chain from ASK to ARK in PEM. */
function asServed(authority: AmdAuthority): readonly NamedEndorsement<AmdEndorsementName>[] {
  return [
    { name: 'leaf.der', bytes: authority.leaf },
    {
      name: 'cert-chain.pem',
      bytes: Buffer.from(toPem(authority.intermediate) + toPem(authority.ark), 'latin1'),
    },
    { name: 'crl.der', bytes: authority.crl },
  ]
}
