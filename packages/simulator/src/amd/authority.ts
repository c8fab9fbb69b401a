// The simulated vendor’s certificates: ARK, ASK or ASVK, VCEK or VLEK, and the ARK’s revocation list
// (AMD 57230, Versioned Chip Endorsement Key Certificate and KDS Interface). All signed with RSASSA-PSS SHA-384.

import * as der from '@casemate/evidence/asn1'
import { authority, type Extension, extension, keyUsage, type Name } from '@casemate/evidence/asn1'
import { type CertificateFault, type CrlFault, constrained, damaged } from '../faults.ts'
import type { SigningKey } from '../keys.ts'
import {
  authorityKeyIdentifier,
  crlDistributionPoint,
  crlNumber,
  issueCertificate,
  issueCrl,
  subjectKeyIdentifier,
} from '../x509.ts'
import type { AmdSettings } from './settings.ts'
import type { SnpProduct } from './structures.ts'

const ARC = '1.3.6.1.4.1.3704.1'

const DAY_MS = 86_400_000
const YEAR_MS = 365 * DAY_MS
/** As AMD’s: authorities 25 years, a VCEK 7, a VLEK 1; the revocation list a year. */
const AUTHORITY_YEARS = 25
const LEAF_YEARS = { VCEK: 7, VLEK: 1 } as const
const CRL_YEARS = 1
/** A machine’s clock may have been set back a little since the platform was made. */
const BACKDATED_MS = DAY_MS

/** AMD’s serial numbers: the ARK’s per product, and the two signing keys’ counted from it. */
const ARK_SERIAL: Readonly<Record<SnpProduct, number>> = { Milan: 0x10000, Genoa: 0x20000, Turin: 0x30000 }
const INTERMEDIATE_SERIAL_OFFSET = { VCEK: 0x001, VLEK: 0x101 } as const

/** `intermediate` is the ASK of VCEKs or the ASVK of VLEKs. */
export type AmdCertificateName = 'ark' | 'intermediate' | 'leaf'
export type AmdKeys = Readonly<Record<AmdCertificateName, SigningKey>>

/** Faults in the vendor’s papers, for tests; see faults.ts. */
export interface AmdFaults {
  readonly certificates?: Partial<Record<AmdCertificateName, CertificateFault>>
  readonly crl?: CrlFault
  /** A leaf’s serial number is 0 with AMD, so no list can name it. */
  readonly revoked?: readonly Exclude<AmdCertificateName, 'leaf'>[]
}

/** DER. */
export interface AmdAuthority extends Readonly<Record<AmdCertificateName, Uint8Array>> {
  readonly crl: Uint8Array
}

export interface AmdAuthorityInput {
  readonly keys: AmdKeys
  readonly settings: AmdSettings
  /** When the platform came into being: certificates are valid from a day before. */
  readonly createdAt: Date
  /** When the revocation list is issued. */
  readonly now: Date
  readonly faults: AmdFaults
}

export function arkName(product: SnpProduct): string {
  return `Casemate Simulated ARK-${product}`
}

export function issueAmdAuthority(input: AmdAuthorityInput): AmdAuthority {
  const { keys, settings } = input
  const crl = crlDistributionPoint(
    `https://casemate.invalid/${settings.signingKey.toLowerCase()}/v1/${settings.product}/crl`,
  )
  return {
    ark: certificate(input, {
      which: 'ark',
      issuer: 'ark',
      years: AUTHORITY_YEARS,
      extensions: [keyUsage('keyCertSign', 'cRLSign'), subjectKeyIdentifier(keys.ark), authority('any'), crl],
    }),
    intermediate: certificate(input, {
      which: 'intermediate',
      issuer: 'ark',
      years: AUTHORITY_YEARS,
      extensions: [
        subjectKeyIdentifier(keys.intermediate),
        authorityKeyIdentifier(keys.ark),
        authority(0),
        keyUsage('keyCertSign'),
        crl,
      ],
    }),
    leaf: certificate(input, {
      which: 'leaf',
      issuer: 'intermediate',
      years: LEAF_YEARS[settings.signingKey],
      extensions: leafExtensions(settings),
    }),
    crl: revocationList(input),
  }
}

interface Profile {
  readonly which: AmdCertificateName
  readonly issuer: AmdCertificateName
  readonly years: number
  readonly extensions: readonly Extension[]
}

function certificate(input: AmdAuthorityInput, profile: Profile): Uint8Array {
  const { keys, settings, createdAt, faults } = input
  const fault = faults.certificates?.[profile.which]
  const template = {
    notBefore: fault?.notBefore ?? new Date(createdAt.getTime() - BACKDATED_MS),
    notAfter: fault?.notAfter ?? new Date(createdAt.getTime() + profile.years * YEAR_MS),
    serial: serialOf(profile.which, settings),
    issuer: nameOf(profile.issuer, settings),
    subject: nameOf(profile.which, settings),
    spki: keys[profile.which].spki,
    extensions: constrained(profile.extensions, fault),
  }
  return damaged(issueCertificate(template, keys[profile.issuer]), fault)
}

function revocationList({ keys, settings, now, faults }: AmdAuthorityInput): Uint8Array {
  const template = {
    issuer: nameOf('ark', settings),
    extensions: [authorityKeyIdentifier(keys.ark), crlNumber(1)],
    thisUpdate: faults.crl?.thisUpdate ?? now,
    nextUpdate: faults.crl?.nextUpdate ?? new Date(now.getTime() + CRL_YEARS * YEAR_MS),
    revokedSerials: (faults.revoked ?? []).map(which => serialOf(which, settings)),
  }
  return damaged(issueCrl(template, keys.ark), faults.crl)
}

/** 1.3.6.1.4.1.3704.1.*, in the order of AMD’s certificates. */
function leafExtensions({ product, signingKey, tcb, hardwareId, cspId }: AmdSettings): readonly Extension[] {
  const integer = (path: string, value: number) => extension(`${ARC}.${path}`, der.unsigned(value))
  const turin = product === 'Turin'
  return [
    integer('1', turin ? 1 : 0),
    extension(
      `${ARC}.2`,
      der.ia5String(product === 'Turin' || signingKey === 'VLEK' ? product : `${product}-B0`),
    ),
    ...(turin ? [integer('3.9', tcb.fmc ?? 0)] : []),
    integer('3.1', tcb.bootloader),
    integer('3.2', tcb.tee),
    ...(turin ? [integer('3.3', tcb.snp)] : [integer('3.4', 0)]),
    integer('3.5', 0),
    integer('3.6', 0),
    integer('3.7', 0),
    ...(turin ? [] : [integer('3.3', tcb.snp)]),
    integer('3.8', tcb.microcode),
    signingKey === 'VCEK'
      ? extension(`${ARC}.4`, Buffer.from(hardwareId, 'hex'))
      : extension(`${ARC}.5`, der.ia5String(cspId)),
  ]
}

function serialOf(which: AmdCertificateName, { product, signingKey }: AmdSettings): Uint8Array {
  const ark = ARK_SERIAL[product]
  const serial = { ark, intermediate: ark + INTERMEDIATE_SERIAL_OFFSET[signingKey], leaf: 0 }[which]
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(serial)
  return bytes
}

/** `ZZ` is ISO 3166’s user-assigned code: no country. */
function nameOf(which: AmdCertificateName, { product, signingKey }: AmdSettings): Name {
  const intermediate = signingKey === 'VCEK' ? `SEV-${product}` : `SEV-VLEK-${product}`
  const commonName = {
    ark: arkName(product),
    intermediate: `Casemate Simulated ${intermediate}`,
    // Exactly as AMD’s: it is by this name that a leaf is recognised.
    leaf: `SEV-${signingKey}`,
  }[which]
  return [
    ['OU', 'Simulator'],
    ['C', 'ZZ'],
    ['L', 'Simulated'],
    ['ST', 'ZZ'],
    ['O', 'Casemate Simulator'],
    ['CN', commonName],
  ]
}
