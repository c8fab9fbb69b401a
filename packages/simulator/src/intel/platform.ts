// A virtual Intel platform: one machine, its quoting enclaves, and the vendor behind it with a random root of its own.
// Settings and keys are its whole identity; everything else is issued from them, for any time that is wanted.

import type { TrustAnchor } from '@casemate/evidence'
import { type NamedEndorsement, type PublicTrust, publicTrust } from '../endorsement.ts'
import { generateEcKey, importKey } from '../keys.ts'
import { checkStored, type PlatformParts, type StoredPlatform, storePlatform } from '../stored.ts'
import { toPem } from '../x509.ts'
import {
  type Authority,
  type AuthorityFaults,
  type IntelKeys,
  issueAuthority,
  issueFor,
  ROOT_NAME,
} from './authority.ts'
import { type DocumentFaults, issueDocuments } from './documents.ts'
import { encodeSgxQuote, encodeTdxQuote, type SgxQuoteRequest, type TdxQuoteRequest } from './quote.ts'
import { type IntelSettings, type IntelSettingsOptions, intelSettings } from './settings.ts'

const FORMAT = 'casemate-simulated-intel-platform/1'

/** Names of a platform’s endorsements, for a test that leaves one out or a directory that holds them. */
export type IntelEndorsementName =
  | 'sgx-tcb-info.json'
  | 'tdx-tcb-info.json'
  | 'qe-identity.json'
  | 'td-qe-identity.json'
  | 'tcb-signing-chain.pem'
  | 'pck-crl-issuer-chain.pem'
  | 'pck-crl.der'
  | 'root-ca-crl.der'

/** Faults in the vendor’s papers, for tests; see faults.ts. */
export interface IntelFaults extends AuthorityFaults {
  readonly documents?: DocumentFaults
}

export interface IntelPlatformOptions extends IntelSettingsOptions {
  /** When the platform is made and its endorsements are issued; the present unless given. */
  readonly now?: Date
  readonly faults?: IntelFaults
}

/** Holds private keys. */
export type IntelPlatformJson = StoredPlatform<IntelSettings, keyof IntelKeys>

export interface IntelPlatform {
  readonly vendor: 'intel'
  readonly settings: IntelSettings
  readonly anchors: readonly TrustAnchor[]
  /** As of the platform’s `now`; good for 30 days. */
  readonly endorsements: readonly NamedEndorsement<IntelEndorsementName>[]
  /** The same, issued anew at another time. */
  endorsementsAt(now: Date): readonly NamedEndorsement<IntelEndorsementName>[]
  /**
   * Another machine of the same vendor: a PCK and quoting enclaves of its own under the same authorities, and the same
   * endorsements to the byte.
   */
  sibling(): IntelPlatform
  /** A version 3 quote. */
  sgxQuote(request: SgxQuoteRequest): Uint8Array
  /** A version 4 or 5 quote. */
  tdxQuote(request: TdxQuoteRequest): Uint8Array
  /** Anchors and endorsements without the private keys. */
  publicTrust(): PublicTrust
  /** @throws {TypeError} for a platform with faults, which are for tests only */
  toJSON(): IntelPlatformJson
}

/** Makes a platform with new random keys. */
export async function createIntelPlatform(options: IntelPlatformOptions = {}): Promise<IntelPlatform> {
  const { now = new Date(), faults = {}, ...settings } = options
  const keys: IntelKeys = {
    root: generateEcKey('P-256'),
    intermediate: generateEcKey('P-256'),
    pck: generateEcKey('P-256'),
    tcbSigning: generateEcKey('P-256'),
    qe: generateEcKey('P-256'),
    tdQe: generateEcKey('P-256'),
  }
  return assemble({ keys, settings: intelSettings(settings), createdAt: now, now, faults })
}

/**
 * Reopens a stored platform, with endorsements issued at `now`.
 * @throws {TypeError} if the document is not one that `toJSON` wrote
 */
export async function intelPlatformFromJSON(
  stored: IntelPlatformJson,
  { now = new Date() }: { readonly now?: Date } = {},
): Promise<IntelPlatform> {
  const { createdAt } = checkStored(stored, FORMAT)
  const key = (name: keyof IntelKeys) => importKey('P-256', stored.keys[name])
  const keys: IntelKeys = {
    root: key('root'),
    intermediate: key('intermediate'),
    pck: key('pck'),
    tcbSigning: key('tcbSigning'),
    qe: key('qe'),
    tdQe: key('tdQe'),
  }
  return assemble({ keys, settings: intelSettings(stored.settings), createdAt, now, faults: {} })
}

type Parts = PlatformParts<IntelSettings, IntelKeys, IntelFaults>

function assemble(parts: Parts): IntelPlatform {
  const authority = issueAuthority(parts)
  return platformOf(parts, authority, issueEndorsements(parts, authority))
}

function platformOf(
  parts: Parts,
  authority: Authority,
  endorsements: IntelPlatform['endorsements'],
): IntelPlatform {
  const { keys, settings } = parts
  const anchors: readonly TrustAnchor[] = [
    { vendor: 'intel', name: ROOT_NAME, spki: keys.root.spki, simulated: true },
  ]
  const source = {
    certificates: authority.certificates,
    cpuSvn: settings.cpuSvn,
    pceSvn: settings.pceSvn,
    pckKey: keys.pck,
  }
  return {
    vendor: 'intel',
    settings,
    anchors,
    endorsements,
    sibling: () => {
      const others = { pck: generateEcKey('P-256'), qe: generateEcKey('P-256'), tdQe: generateEcKey('P-256') }
      const another = { ...parts, keys: { ...keys, ...others } }
      const certificates = { ...authority.certificates, pck: issueFor('pck', another) }
      return platformOf(another, { ...authority, certificates }, endorsements)
    },
    endorsementsAt: now => issueEndorsements({ ...parts, now }, issueAuthority({ ...parts, now })),
    sgxQuote: request => encodeSgxQuote({ ...source, attestationKey: keys.qe }, request),
    tdxQuote: request => encodeTdxQuote({ ...source, attestationKey: keys.tdQe }, request),
    publicTrust: () => publicTrust(anchors, endorsements),
    toJSON: () => storePlatform(parts, FORMAT),
  }
}

function issueEndorsements(
  { keys, settings, now, faults }: Parts,
  { certificates, crls }: Authority,
): readonly NamedEndorsement<IntelEndorsementName>[] {
  const documents = issueDocuments({
    key: keys.tcbSigning,
    settings,
    now,
    faults: faults.documents ?? {},
  })
  const chain = (leaf: Uint8Array) => Buffer.from(toPem(leaf) + toPem(certificates.root), 'latin1')
  return [
    { name: 'sgx-tcb-info.json', bytes: documents.sgxTcbInfo },
    { name: 'tdx-tcb-info.json', bytes: documents.tdxTcbInfo },
    { name: 'qe-identity.json', bytes: documents.qeIdentity },
    { name: 'td-qe-identity.json', bytes: documents.tdQeIdentity },
    { name: 'tcb-signing-chain.pem', bytes: chain(certificates.tcbSigning) },
    { name: 'pck-crl-issuer-chain.pem', bytes: chain(certificates.intermediate) },
    { name: 'pck-crl.der', bytes: crls.pck },
    { name: 'root-ca-crl.der', bytes: crls.root },
  ]
}
