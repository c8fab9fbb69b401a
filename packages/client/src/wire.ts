// What the broker's `/v1` answers: the shapes of OpenAPI's schemas that callers of `admin` see.

import type { Violation } from './failure.ts'

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
/** A JSON object, e.g. a policy or a ledger entry. */
export interface JsonObject {
  readonly [name: string]: Json
}

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
  }[]
}

/** The answer to storing a secret. */
export interface SecretStored extends Recorded {
  readonly path: string
  readonly version: number
}

/** An appraisal policy, a set of reference values or a release rule, with what is needed to change it safely. */
export interface NamedDocument {
  readonly name: string
  readonly document: JsonObject
  readonly etag: string | null
}

/** A release rule: CEL over `claims`, `result`, `secret` and `now`. */
export interface ReleaseRule {
  /** Which secrets, e.g. `default/db/*`. */
  readonly secrets: string
  readonly expression: string
  /** What an auditor reads where it denies. */
  readonly message: string
  readonly enabled: boolean
}

/** A past attestation. */
export interface Attestation {
  readonly id: string
  readonly at: string
  readonly verdict: 'accepted' | 'refused'
  readonly kind: string | null
  readonly code: string | null
  readonly explanation: JsonObject
  readonly ledgerIndex: number | null
  readonly evidenceKept: boolean
}

/** What `POST /v1/verify` explains. */
export type Explanation = JsonObject

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
export interface CreatedToken extends AdminToken {
  readonly token: string
}

/** What the broker says of itself to anyone. */
export interface BrokerInfo {
  readonly version: string
  readonly origin: string
  readonly logKey: string
  readonly acceptsSimulated: boolean
}

export type { Violation }
