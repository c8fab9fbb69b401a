// The store: everything the broker remembers except the ledger’s own tables. It says nothing of SQL, files or rowids;
// test/store/contract.ts states it, and SQLite keeps it.
// Invariant: every change takes its ledger entry and commits with it, or neither does; the promise resolves only
// once both are durable. Changes are optimistic: a precondition that no longer holds throws `precondition-failed`.
// Other processes may work on the same store. What is read may be a second old; what is decided on is compared in the
// transaction of its change, so that an old reading costs another attempt and decides nothing. What is not in the store is
// each process’s own: limits of clients and of refusals, counts that are not recorded yet, denials and heads of attestations
// that it has seen. N processes allow N times as much.

import type { Entry } from '../entry.ts'
import type { JsonObject } from '../json.ts'
import type { Role } from '../roles.ts'
import type { SecretPath } from '../secret-path.ts'

/** A change that is durable, with the index of its ledger entry. */
export interface Recorded<T> {
  readonly index: number
  readonly value: T
}

/** What a put left behind, and whether nothing was there before. */
export type Put<T> = T & { readonly isNew: boolean }

/** One page of a list; `next` continues it, null at the end. */
export interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | null
}

/** `after` is a former page’s `next`; null starts. */
export interface PageRequest {
  readonly limit: number
  readonly after: string | null
}

/** What must hold for a change: the revision it was made from, that something or nothing exists, or nothing in particular. */
export type Precondition = number | 'some' | 'none' | 'any'

/** A secret without its content. */
export interface SecretHead extends SecretPath {
  /** The version that guests get. */
  readonly version: number
  /** Changes with every change, never repeats: the ETag. */
  readonly revision: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** One version of a secret without its content. */
export interface SecretVersionHead {
  readonly version: number
  readonly createdAt: Date
  readonly sizeBytes: number
  readonly kekVersion: number
}

/** Bytes encrypted under a version of the key-encryption key. */
export interface WrappedKey {
  readonly kekVersion: number
  readonly bytes: Uint8Array
}

/** One version of a secret as it lies at rest. */
export interface SealedSecret extends SecretPath {
  readonly version: number
  readonly createdAt: Date
  readonly sizeBytes: number
  readonly dataKey: WrappedKey
  /** Nonce, ciphertext and tag under the data key. */
  readonly ciphertext: Uint8Array
}

export interface SecretStore {
  find(path: SecretPath): Promise<SecretHead | null>
  /** The last version number ever used under this path, also by a deleted secret; 0 for a new one. */
  lastVersion(path: SecretPath): Promise<number>
  versions(path: SecretPath): Promise<readonly SecretVersionHead[]>
  list(page: PageRequest): Promise<Page<SecretHead>>
  open(path: SecretPath, version: number | 'current'): Promise<SealedSecret | null>
  /** `sealed.version` must be one above the last, or `conflict` is thrown. */
  put(sealed: SealedSecret, expected: Precondition, entry: Entry): Promise<Recorded<Put<SecretHead>>>
  delete(path: SecretPath, expected: Precondition, entry: Entry): Promise<Recorded<null>>
  /** Deletes one version; with the last one goes the secret. */
  deleteVersion(path: SecretPath, version: number, options: DeleteOptions): Promise<Recorded<null>>
}

/** Appraisal policies, reference values and release rules: named JSON documents. */
export const DOCUMENT_KINDS = ['policy', 'reference', 'rule'] as const
export type DocumentKind = (typeof DOCUMENT_KINDS)[number]

export interface StoredDocument {
  readonly kind: DocumentKind
  readonly name: string
  readonly document: JsonObject
  /** Changes with every change, never repeats: the ETag. */
  readonly revision: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface DocumentChange {
  readonly kind: DocumentKind
  readonly name: string
  readonly document: JsonObject
  readonly at: Date
  /** {@link DocumentStore.generation} from before the others of its kind were read, that it has to stand beside. */
  readonly beside?: number
}

export interface DocumentStore {
  find(kind: DocumentKind, name: string): Promise<StoredDocument | null>
  list(kind: DocumentKind, page: PageRequest): Promise<Page<StoredDocument>>
  /** All of a kind, by name: what an appraisal or a release needs. */
  all(kind: DocumentKind): Promise<readonly StoredDocument[]>
  /** Rises with every change to a document of this kind: what a cache of parsed documents compares. */
  generation(kind: DocumentKind): Promise<number>
  /** Those of all that an appraisal needs, as of one instant. */
  appraisalGenerations(): Promise<Generations>
  /** @throws {BrokerError} `precondition-failed`; `conflict` where others of its kind changed */
  put(change: DocumentChange, expected: Precondition, entry: Entry): Promise<Recorded<Put<StoredDocument>>>
  delete(kind: DocumentKind, name: string, options: DeleteOptions): Promise<Recorded<null>>
}

export interface DeleteOptions {
  readonly expected: Precondition
  readonly entry: Entry
}

export const VERDICTS = ['accepted', 'refused'] as const
export type Verdict = (typeof VERDICTS)[number]

/** A past attestation, accepted or refused, with its explanation and, until it is purged, its evidence. */
export interface Attestation {
  readonly id: string
  readonly at: Date
  readonly verdict: Verdict
  /** Kind of evidence; null where it could not be read. */
  readonly kind: string | null
  /** Code of the refusal; null when accepted. */
  readonly code: string | null
  /** Claims, appraisal result, steps, refusal: whatever explains the verdict. */
  readonly explanation: JsonObject
}

export interface NewAttestation extends Attestation {
  /** The evidence as the guest sent it; null where it is too large to be kept. */
  readonly evidence: Uint8Array | null
}

export interface StoredAttestation extends Attestation {
  readonly ledgerIndex: number | null
  readonly evidenceKept: boolean
}

/** Which past attestations; a member that is absent leaves its side open. */
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

/** A challenge that a guest answers. */
export interface Challenge {
  readonly nonce: string
  /** Nobody answers it from then on; it is forgotten a while later. */
  readonly endsAt: Date
}

/** Of the documents that an appraisal needs. */
export type Generations = Readonly<Record<'policy' | 'reference', number>>

/** What an attestation rests on, compared in its transaction. */
export interface AttestationBasis {
  /** Taken by this attestation, and by no other in any process; null: it answers none. */
  readonly challenge: Challenge | null
  /** From before documents were read; null: none was. */
  readonly generations: Generations | null
}

export interface AttestationStore {
  /**
   * Of refused attestations as many of the oldest go as the budget for them demands.
   * @throws {BrokerError} `session-invalid` where the challenge was taken or is no longer known; `conflict` where documents changed
   */
  insert(attestation: NewAttestation, entry: Entry, basis: AttestationBasis): Promise<Recorded<null>>
  find(id: string): Promise<StoredAttestation | null>
  /**
   * Newest first. With a filter a page looks at a bounded number of attestations: it may hold fewer than its limit, even
   * none, and still have a next.
   */
  list(
    verdict: Verdict | 'any',
    page: PageRequest,
    filter?: AttestationFilter,
  ): Promise<Page<StoredAttestation>>
  /** Null where it was purged or never stored. */
  evidence(id: string): Promise<Uint8Array | null>
  /** Of attestations from before `before`; null where there was none, or somebody else is at it. */
  purgeEvidence(before: Date, entryOf: (count: number) => Entry): Promise<Recorded<number> | null>
  /** Refused attestations from before `before`, with explanation and evidence; null as with {@link purgeEvidence}. */
  purgeRefused(before: Date, entryOf: (count: number) => Entry): Promise<Recorded<number> | null>
}

export interface StoredToken {
  readonly id: string
  readonly name: string
  readonly role: Role
  /** SHA-256 of the token’s secret part. */
  readonly hash: Uint8Array
  readonly createdAt: Date
  readonly expiresAt: Date
}

export interface TokenStore {
  find(id: string): Promise<StoredToken | null>
  list(page: PageRequest): Promise<Page<StoredToken>>
  insert(token: StoredToken, entry: Entry): Promise<Recorded<null>>
  /** @throws {BrokerError} `last-admin` where no admin’s token valid at `now` would be left. */
  delete(id: string, now: Date, entry: Entry): Promise<Recorded<null>>
  countValidAdmins(now: Date): Promise<number>
}

/** `token` signs attestation results, `ledger` checkpoints, `session` seals challenges. */
export const KEY_PURPOSES = ['token', 'ledger', 'session'] as const
export type KeyPurpose = (typeof KEY_PURPOSES)[number]

/** A key as it lies at rest: public part in the clear, private part wrapped. */
export interface StoredKey {
  readonly id: string
  readonly purpose: KeyPurpose
  /** Null for a symmetric key. */
  readonly publicJwk: JsonObject | null
  readonly wrapped: WrappedKey
  readonly createdAt: Date
  /** Used for new signatures or seals from then on. */
  readonly activeFrom: Date
  /** Neither used nor published from then on; null while no successor exists. */
  readonly retiresAt: Date | null
}

/** A key and the moment at which it gives way to a successor. */
export interface Retirement {
  readonly id: string
  readonly retiresAt: Date
}

export interface KeyStore {
  list(purpose: KeyPurpose | 'any'): Promise<readonly StoredKey[]>
  /**
   * Adds a key before a ledger exists to record it: the ledger’s own, once. Gives the one that is there from then on: where
   * another process came first, that one’s.
   */
  bootstrap(key: StoredKey): Promise<StoredKey>
  /** @throws {BrokerError} `conflict` where another key would be left that no time is set for, or one of them is gone */
  rotate(successor: StoredKey, retired: readonly Retirement[], entry: Entry): Promise<Recorded<null>>
  delete(ids: readonly string[], entry: Entry): Promise<Recorded<null>>
}

/** Something whose wrapping can be renewed: a secret’s data key or a stored key. */
export interface WrappedItem {
  /** Opaque, of the store. */
  readonly reference: string
  /** What the wrapping is bound to. */
  readonly context: string
  readonly wrapped: WrappedKey
}

export interface WrappingStore {
  /** Items that are under an older version than `kekVersion`, at most `limit`: all that {@link rewrap} replaces by it. */
  stale(kekVersion: number, limit: number): Promise<readonly WrappedItem[]>
  /** Replaces wrappings in one transaction; an item that changed or went away meanwhile is left alone. */
  rewrap(items: readonly WrappedItem[], entry: Entry): Promise<Recorded<number>>
  /** The versions of the key-encryption key that something still uses. */
  versionsInUse(): Promise<readonly number[]>
}

/** What a release was decided on. */
export interface ReleaseBasis {
  readonly path: SecretPath
  /** Of the secret that goes out. */
  readonly revision: number
  /** {@link DocumentStore.generation} of the rules, from before they were read. */
  readonly ruleGeneration: number
}

export interface ReleaseStore {
  /** @throws {BrokerError} `conflict` where the basis changed: the change is on record first, and forbids it perhaps. */
  record(entry: Entry, basis: ReleaseBasis): Promise<Recorded<null>>
}

/** Everything the broker remembers. */
export interface Store {
  readonly secrets: SecretStore
  readonly documents: DocumentStore
  readonly attestations: AttestationStore
  readonly releases: ReleaseStore
  readonly tokens: TokenStore
  readonly keys: KeyStore
  readonly wrappings: WrappingStore
  /**
   * Does work of which only one process does a kind at a time: where another is at it, nothing is done. The lock goes with
   * the process that holds it. @returns whether it was done
   */
  exclusively(kind: string, work: () => Promise<void>): Promise<boolean>
  /** Throws where the store cannot be read: readiness. */
  check(): Promise<void>
}
