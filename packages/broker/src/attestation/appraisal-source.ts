// Policies and reference values for appraisals: parsed once per change of any of them. What an earlier version stored and
// this one does not read refuses whatever would depend on it, and nothing else.

import {
  AppraisalConfigError,
  type AppraisalPolicy,
  isPresetName,
  MAX_WORKLOADS,
  mergeReferenceValues,
  PRESETS,
  parsePolicy,
  parseReferenceValues,
  type ReferenceValues,
} from '@casemate/appraisal'
import { BrokerError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { DocumentStore, Generations, StoredDocument } from '../store/store.ts'

/** The policy that handshakes use; where none is stored, the preset `strict`. */
export const DEFAULT_POLICY = 'default'

/** What a name that no stored policy has stands for: a preset by its own name, and `strict` where handshakes decide. */
export function presetFor(name: string): AppraisalPolicy | null {
  if (isPresetName(name)) return PRESETS[name]
  return name === DEFAULT_POLICY ? PRESETS.strict : null
}

interface Parsed<T> {
  readonly generation: number
  readonly value: T
}

export class AppraisalSource {
  readonly #documents: DocumentStore
  #policies: Parsed<ReadonlyMap<string, AppraisalPolicy | BrokerError>> | undefined
  #references: Parsed<ReferenceValues | BrokerError> | undefined

  constructor(documents: DocumentStore) {
    this.#documents = documents
  }

  /** To be asked before documents are, and handed on with what is decided on them. */
  generations(): Promise<Generations> {
    return this.#documents.appraisalGenerations()
  }

  /** A stored policy, or else a preset. @throws {BrokerError} `policy-missing`, `stored-document-invalid` */
  async policy(name: string, { policy: generation }: Generations): Promise<AppraisalPolicy> {
    if (this.#policies?.generation !== generation) {
      const stored = await this.#documents.all('policy')
      const value = new Map(stored.map(one => [one.name, parseStored(one, parsePolicy)]))
      this.#policies = { generation, value }
    }
    const policy = this.#policies.value.get(name)
    if (policy !== undefined) return usable(policy)
    const preset = presetFor(name)
    if (preset !== null) return preset
    throw new BrokerError('policy-missing', 'there is no such policy')
  }

  /** All reference documents together. @throws {BrokerError} `stored-document-invalid` */
  async references({ reference: generation }: Generations): Promise<ReferenceValues> {
    if (this.#references?.generation !== generation) {
      const value = mergeStored(await this.#documents.all('reference'))
      this.#references = { generation, value }
    }
    return usable(this.#references.value)
  }
}

function usable<T>(value: T | BrokerError): T {
  if (value instanceof BrokerError) throw value
  return value
}

function parseStored<T>(
  { kind, name, document }: StoredDocument,
  parse: (document: unknown) => T,
): T | BrokerError {
  return orInvalid(`the stored ${kind} ${name}`, () => parse(document))
}

/** One that cannot be read might be the only one that knows what a refusal would deny: it is named instead. */
function mergeStored(stored: readonly StoredDocument[]): ReferenceValues | BrokerError {
  const parsed: ReferenceValues[] = []
  for (const one of stored) {
    const values = parseStored(one, parseReferenceValues)
    if (values instanceof BrokerError) return values
    parsed.push(values)
  }
  return orInvalid('the stored references together', () => mergeReferenceValues(...parsed))
}

function orInvalid<T>(what: string, read: () => T): T | BrokerError {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof AppraisalConfigError)) throw cause
    return new BrokerError('stored-document-invalid', `${what} cannot be used: ${cause.message}`, {
      hint: 'put it anew in a form that this version reads, or delete it',
      violations: cause.problems,
      cause,
    })
  }
}

/**
 * Refuses a reference document that could not be used together with those that are stored: it would take them with it.
 * @returns their generation, to be put with it: others may be put meanwhile
 * @throws {BrokerError} `reference-invalid`
 */
export async function checkWithOthers(
  documents: DocumentStore,
  name: string,
  document: JsonObject,
): Promise<number> {
  const generation = await documents.generation('reference')
  const others = (await documents.all('reference')).filter(it => it.name !== name)
  const counts = [document, ...others.map(it => it.document)].map(({ workloads }) =>
    Array.isArray(workloads) ? workloads.length : 0,
  )
  const count = counts.reduce((sum, one) => sum + one, 0)
  if (count <= MAX_WORKLOADS) return generation
  throw new BrokerError('reference-invalid', `with those that are stored there would be ${count} workloads`, {
    expected: `at most ${MAX_WORKLOADS} in all documents together`,
    got: `${count}`,
    hint: 'remove workloads that are no longer run',
  })
}

/** A policy that is not stored. @throws {BrokerError} `policy-invalid` */
export function parseGivenPolicy(document: JsonObject): AppraisalPolicy {
  try {
    return parsePolicy(document)
  } catch (error) {
    if (!(error instanceof AppraisalConfigError)) throw error
    throw new BrokerError('policy-invalid', 'the document is not an appraisal policy', {
      violations: error.problems,
      cause: error,
    })
  }
}
