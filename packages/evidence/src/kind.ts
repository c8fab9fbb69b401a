// What is known of one kind of evidence, from its bytes to its claims: the contract of a row of kinds.ts. Whatever depends
// on the kind is a member here, so that the compiler finds what a new kind lacks.

import type { TrustAnchor } from './anchor.ts'
import type { CollateralClaims, CommonClaims } from './claims.ts'
import type { Endorsements } from './endorsements.ts'
import type { FetchItem, Services } from './fetch-item.ts'
import type { OwnFieldsOf } from './field-types.ts'
import type { Beside, Members } from './members.ts'
import type { Step } from './step.ts'

/** A binary format of evidence; several kinds may share one. */
export interface BinaryFormat<E> {
  /** For people, as `a report of SEV-SNP`. */
  readonly what: string
  /** The same with the versions that are read. */
  readonly versions: string
  /** Whether bytes begin like it, which no bytes of another format do. */
  readonly begins: (bytes: Uint8Array) => boolean
  /** @throws {Refusal} `evidence-malformed`, `evidence-unsupported` */
  readonly parse: (bytes: Uint8Array) => E
}

export interface VerifyOptions {
  readonly now: Date
  /** `VENDOR_ANCHORS`, and a simulator's only where simulated evidence is to verify. */
  readonly anchors: readonly TrustAnchor[]
  /** The lowest tcbEvaluationDataNumber of Intel's endorsements that is still acceptable. */
  readonly minTcbEvaluationDataNumber: number | 'any'
}

export interface VerifiedClaims<C> {
  readonly claims: C
  /** What was checked, in order. */
  readonly steps: readonly Step[]
  /** The first end of all windows that the verdict depends on; it means nothing after. */
  readonly validUntil: Date
}

/** An enclave as a processor reports it. */
export interface MeasuredEnclave {
  readonly mrEnclave: string
  readonly mrSigner: string
  readonly isvProdId: number
  readonly isvSvn: number
}

/** Evidence `E` is UNVERIFIED; claims `C` are what a verification says. */
export interface EvidenceKind<E, C extends CommonClaims> {
  /** `Intel TDX quote, version 5`, for people. */
  describe(evidence: E): string
  /** What the guest chose to have signed, 64 bytes at most. */
  reportData(evidence: E): Uint8Array
  /** What makes two pieces of evidence the same; null where nothing is signed. */
  signedBytes(evidence: E): Uint8Array | null
  /**
   * Reads `primary_evidence` of a Confidential Containers guest.
   * @throws {Refusal} `evidence-malformed`, `evidence-unsupported`
   */
  parseKbs(primaryEvidence: unknown): E
  /**
   * The inverse: of binary evidence, and the certificate table that came beside it.
   * @throws {Refusal} `evidence-malformed`, `evidence-unsupported`
   */
  encodeKbs(evidence: Uint8Array, certificateTable: Uint8Array | null): unknown
  /**
   * The same JSON among members of its own or others’, where it is evidence in itself and wraps no bytes; `taken` is the member
   * that holds all of it.
   */
  recogniseKbs(members: Members): { readonly evidence: E; readonly taken: string | null } | null
  /**
   * With the certificates that a file has beside the evidence.
   * @throws {Refusal} `evidence-malformed` where something that should be one is none
   */
  withBeside(evidence: E, beside: readonly Beside[]): E
  /** @throws {Refusal} any code of `REFUSALS`, with the steps that had passed */
  verify(evidence: E, endorsements: Endorsements, options: VerifyOptions): Promise<VerifiedClaims<C>>
  /** The vendor's roots. */
  readonly anchors: readonly TrustAnchor[]
  /** The names and types of its claims beside the common ones. */
  readonly claimFields: OwnFieldsOf<C>
  /** What a verdict rests on that the vendor issues again and again. */
  readonly collateral: readonly (keyof CollateralClaims)[]
  /**
   * Everything that a piece of evidence needs and does not bring, as far as somebody publishes it.
   * @throws {Refusal} where the evidence is too malformed to tell
   */
  fetchItems(evidence: E, services: Services): readonly FetchItem[]
  /** Whether what signs it is published, or given to those alone who run it. */
  isSignerPublished(evidence: E): boolean
  /** Whether it was verified without the revocation list that would have counted. */
  lacksRevocation(claims: C): boolean
  /** The enclave that the processor itself has measured; null where it measures machines, or nothing. */
  measuredEnclave(claims: C): MeasuredEnclave | null
  /** The register that a machine extends with the enclave that it runs, hex; null where there is none. */
  enclaveRegister(claims: C): string | null
}
