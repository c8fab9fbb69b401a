// The answers of the broker's `/v1`: the shapes of OpenAPI's schemas that callers of `admin` see.

import type { JsonObject } from '@casemate/ledger'
import type { Violation } from './failure.ts'

/** One page of a list; `next` is the cursor of the following one, null at the end. */
export interface Page<Item> {
  readonly items: readonly Item[]
  readonly next: string | null
}

/** Which page to read. */
export interface PageRequest {
  readonly limit?: number
  readonly cursor?: string
}

/** A change that is durable and recorded. */
export interface Recorded {
  readonly ledgerIndex: number
}

/** A secret without its content, which never leaves the broker but to attested guests. */
export interface SecretMetadata {
  readonly path: string
  readonly version: number
  readonly createdAt: string
  readonly updatedAt: string
  readonly versions?: readonly {
    readonly version: number
    readonly createdAt: string
    readonly sizeBytes: number
    readonly kekVersion: number
  }[]
}

/** The answer to storing a secret. */
export interface SecretStored extends Recorded {
  readonly path: string
  readonly version: number
}

/** An appraisal policy, a set of reference values or a release rule. */
export interface ListedDocument {
  readonly name: string
  readonly createdAt: string
  readonly updatedAt: string
  readonly document: JsonObject
}

/** One of them with what is needed to change it safely. */
export interface NamedDocument extends Pick<ListedDocument, 'name' | 'document'> {
  /** Null if it is built in and was never stored, as the policies `strict` and `standard`. */
  readonly createdAt: string | null
  readonly updatedAt: string | null
  readonly etag: string | null
}

/** A release rule: CEL over `claims`, `result`, `secret` and `now`. */
export interface ReleaseRule {
  /** Which secrets, e.g. `default/db/*`. */
  readonly secrets: string
  readonly expression: string
  /** An auditor reads this if it denies; the broker fills it in. */
  readonly message?: string
  /** True if it is left out. */
  readonly enabled?: boolean
}

/** A past attestation, as lists show it. */
export interface AttestationSummary {
  readonly id: string
  readonly at: string
  readonly verdict: 'accepted' | 'refused'
  readonly kind: string | null
  readonly code: string | null
  readonly workload: string | null
  readonly measurement: string | null
  /** The address, or the network, that the guest came from. */
  readonly client: string | null
  readonly ledgerIndex: number | null
  readonly evidenceKept: boolean
}

/** Which past attestations are listed; a member that is absent leaves its side open. */
export interface AttestationFilter {
  readonly kind?: string
  readonly code?: string
  readonly workload?: string
  /** Or the beginning of one. */
  readonly measurement?: string
  readonly client?: string
  /** The last characters of ids, as lists print them. */
  readonly idEnd?: string
}

/** A past attestation with its reasons. */
export interface Attestation extends AttestationSummary {
  readonly explanation: Explanation
}

/** An entry of the record. */
export interface LedgerEntry {
  readonly index: number
  readonly timestamp: string
  /** Null if the content was erased. */
  readonly entry: JsonObject | null
  /** The entry that records the erasure. */
  readonly erasedBy: number | null
}

/** A key without its material. */
export interface KeyDescription {
  readonly id: string
  readonly purpose: 'token' | 'ledger' | 'session' | 'kek'
  readonly state: 'next' | 'current' | 'previous'
  readonly createdAt: string | null
  readonly activeFrom: string | null
  readonly retiresAt: string | null
}

/** Why evidence is accepted or refused; members that do not apply are null. */
export interface Explanation {
  readonly verdict: 'accepted' | 'refused'
  readonly code: string | null
  readonly steps: readonly { readonly name: string; readonly looked: string }[]
  readonly claims: JsonObject | null
  readonly result: (JsonObject & { readonly violations?: readonly Violation[] }) | null
  readonly refusal: {
    readonly code: string
    readonly message: string
    readonly expected: string | null
    readonly got: string | null
    readonly hint: string | null
  } | null
  readonly validUntil: string | null
}

/** An administrator's token without its secret. */
export interface AdminToken {
  readonly id: string
  readonly name: string
  readonly role: Role
  readonly createdAt: string
  readonly expiresAt: string
}

/** auditor reads, writer changes secrets, policies and rules, admin everything. */
export type Role = 'admin' | 'writer' | 'auditor'

/** A new token; the only answer that ever holds its secret. */
export interface CreatedToken extends AdminToken, Recorded {
  readonly token: string
}

/** The broker's description of itself, for anyone. */
export interface BrokerInfo {
  readonly version: string
  /** `iss` and `aud` of its attestation results. */
  readonly issuer: string
  /** The origin line of its log. */
  readonly origin: string
  /** The log's verifier key, name+hash+base64; to be compared with what one got by another way. */
  readonly ledgerKey: string
  /** True if a simulator's roots are trusted. */
  readonly simulatedEvidence: boolean
}

export type { Violation }
