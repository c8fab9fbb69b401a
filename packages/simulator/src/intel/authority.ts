// The simulated vendor’s authorities: root, PCK CA, TCB signing, and the PCK certificate of the one platform,
// with both revocation lists (Intel SGX PCK Certificate and CRL Profile). Names say plainly that none is Intel’s.

import { createHash } from 'node:crypto'
import { authority, type Extension, endEntity, keyUsage, type Name } from '@casemate/evidence/asn1'
import { type CertificateFault, type CrlFault, constrained, damaged } from '../faults.ts'
import { keyIdentifier, type SigningKey } from '../keys.ts'
import {
  authorityKeyIdentifier,
  crlDistributionPoint,
  crlNumber,
  issueCertificate,
  issueCrl,
  subjectKeyIdentifier,
} from '../x509.ts'
import { sgxExtension } from './pck-extension.ts'
import type { IntelSettings } from './settings.ts'

export const ROOT_NAME = 'Casemate Simulated SGX Root CA'

const DAY_MS = 86_400_000
const YEAR_MS = 365 * DAY_MS
/** As Intel’s: the root until the end of 2049, authorities 15 years, PCK certificates 7. */
const ROOT_NOT_AFTER = new Date('2049-12-31T23:59:59Z')
const AUTHORITY_YEARS = 15
const PCK_YEARS = 7
/** A machine’s clock may have been set back a little since the platform was made. */
const BACKDATED_MS = DAY_MS
/** As Intel’s: PCK revocation lists a month, the root’s a year. */
const PCK_CRL_DAYS = 30
const ROOT_CRL_DAYS = 365

export type IntelCertificateName = 'root' | 'intermediate' | 'pck' | 'tcbSigning'
export type IntelKeys = Readonly<Record<IntelCertificateName | 'qe' | 'tdQe', SigningKey>>

export interface AuthorityFaults {
  readonly certificates?: Partial<Record<IntelCertificateName, CertificateFault>>
  readonly crls?: Partial<Record<'root' | 'pck', CrlFault>>
  readonly revoked?: readonly IntelCertificateName[]
}

/** DER certificates and revocation lists. */
export interface Authority {
  readonly certificates: Readonly<Record<IntelCertificateName, Uint8Array>>
  readonly crls: { readonly root: Uint8Array; readonly pck: Uint8Array }
}

export interface AuthorityInput {
  readonly keys: IntelKeys
  readonly settings: IntelSettings
  /** When the platform came into being: certificates are valid from a day before. */
  readonly createdAt: Date
  /** When the revocation lists are issued. */
  readonly now: Date
  readonly faults: AuthorityFaults
}

interface Subject {
  readonly name: Name
  readonly issuer: 'root' | 'intermediate'
  readonly notAfter: Date
  readonly extensions: readonly Extension[]
}

export function issueAuthority(input: AuthorityInput): Authority {
  const subjects = subjectsOf(input)
  return {
    certificates: {
      root: issueFor('root', input, subjects),
      intermediate: issueFor('intermediate', input, subjects),
      pck: issueFor('pck', input, subjects),
      tcbSigning: issueFor('tcbSigning', input, subjects),
    },
    crls: {
      root: issueList(input, { list: 'root', issuer: 'root', days: ROOT_CRL_DAYS, name: subjects.root.name }),
      pck: issueList(input, {
        list: 'pck',
        issuer: 'intermediate',
        days: PCK_CRL_DAYS,
        name: subjects.intermediate.name,
      }),
    },
  }
}

/** The certificate of one of the keys in DER, signed anew. */
export function issueFor(
  which: IntelCertificateName,
  input: AuthorityInput,
  subjects = subjectsOf(input),
): Uint8Array {
  const { name, issuer, notAfter, extensions } = subjects[which]
  const fault = input.faults.certificates?.[which]
  const template = {
    notBefore: fault?.notBefore ?? later(input.createdAt, -BACKDATED_MS),
    notAfter: fault?.notAfter ?? notAfter,
    serial: serialOf(which, input.keys),
    issuer: subjects[issuer].name,
    subject: name,
    spki: input.keys[which].spki,
    extensions: constrained(extensions, fault),
  }
  return damaged(issueCertificate(template, input.keys[issuer]), fault)
}

function subjectsOf({ keys, settings, createdAt }: AuthorityInput): Record<IntelCertificateName, Subject> {
  const pckCa = settings.pckCa === 'platform' ? 'Platform' : 'Processor'
  const underRoot = (key: SigningKey): readonly Extension[] => [
    authorityKeyIdentifier(keys.root),
    crlDistributionPoint('https://casemate.invalid/sgx/rootcacrl'),
    subjectKeyIdentifier(key),
  ]
  return {
    root: {
      name: distinguished(ROOT_NAME),
      issuer: 'root',
      notAfter: ROOT_NOT_AFTER,
      extensions: [...underRoot(keys.root), keyUsage('keyCertSign', 'cRLSign'), authority(1)],
    },
    intermediate: {
      name: distinguished(`Casemate Simulated SGX PCK ${pckCa} CA`),
      issuer: 'root',
      notAfter: later(createdAt, AUTHORITY_YEARS * YEAR_MS),
      extensions: [...underRoot(keys.intermediate), keyUsage('keyCertSign', 'cRLSign'), authority(0)],
    },
    tcbSigning: {
      name: distinguished('Casemate Simulated SGX TCB Signing'),
      issuer: 'root',
      notAfter: later(createdAt, AUTHORITY_YEARS * YEAR_MS),
      extensions: [
        ...underRoot(keys.tcbSigning),
        keyUsage('digitalSignature', 'nonRepudiation'),
        endEntity(),
      ],
    },
    pck: {
      name: distinguished('Casemate Simulated SGX PCK Certificate'),
      issuer: 'intermediate',
      notAfter: later(createdAt, PCK_YEARS * YEAR_MS),
      extensions: [
        authorityKeyIdentifier(keys.intermediate),
        crlDistributionPoint(`https://casemate.invalid/sgx/pckcrl?ca=${settings.pckCa}&encoding=der`),
        subjectKeyIdentifier(keys.pck),
        keyUsage('digitalSignature', 'nonRepudiation'),
        endEntity(),
        sgxExtension(settings),
      ],
    },
  }
}

interface List {
  readonly list: 'root' | 'pck'
  readonly issuer: 'root' | 'intermediate'
  readonly days: number
  readonly name: Name
}

function issueList(
  { keys, settings, now, faults }: AuthorityInput,
  { list, issuer, days, name }: List,
): Uint8Array {
  const revoked = (faults.revoked ?? []).filter(which => (which === 'pck') === (list === 'pck'))
  const fault = faults.crls?.[list]
  const template = {
    issuer: name,
    extensions: [crlNumber(1), authorityKeyIdentifier(keys[issuer])],
    thisUpdate: fault?.thisUpdate ?? now,
    nextUpdate: fault?.nextUpdate ?? later(now, days * DAY_MS),
    revokedSerials: [
      ...revoked.map(which => serialOf(which, keys)),
      ...(list === 'pck' ? strangerSerials(settings.revokedStrangers) : []),
    ],
  }
  return damaged(issueCrl(template, keys[issuer]), fault)
}

/** 20 bytes each, the same in every list. */
function strangerSerials(count: number): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, index) =>
    createHash('sha1').update(`casemate simulated revoked PCK ${index}`).digest(),
  )
}

/** As Intel does, an authority’s serial number is its key identifier; a PCK certificate’s is another 20 bytes. */
function serialOf(which: IntelCertificateName, keys: IntelKeys): Uint8Array {
  const identifier = keyIdentifier(keys[which])
  return which === 'pck' ? createHash('sha1').update(identifier).digest() : identifier
}

/** `ZZ` is ISO 3166’s user-assigned code: no country. */
function distinguished(commonName: string): Name {
  return [
    ['CN', commonName],
    ['O', 'Casemate Simulator'],
    ['L', 'Simulated'],
    ['ST', 'ZZ'],
    ['C', 'ZZ'],
  ]
}

function later(date: Date, milliseconds: number): Date {
  return new Date(date.getTime() + milliseconds)
}
