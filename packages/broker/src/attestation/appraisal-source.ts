// Policies and reference values for appraisals: parsed once per change of any of them.

import {
  AppraisalConfigError,
  type AppraisalPolicy,
  mergeReferenceValues,
  PRESETS,
  parsePolicy,
  parseReferenceValues,
  type ReferenceValues,
} from '@casemate/appraisal'
import { BrokerError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { DocumentStore } from '../store/store.ts'

/** The policy that handshakes use; where none is stored, the preset `strict`. */
export const DEFAULT_POLICY = 'default'

/** Whether a name is a preset's: nothing else may be called so, or whoever reads the name would be misled. */
export function isPresetName(name: unknown): name is keyof typeof PRESETS {
  return typeof name === 'string' && Object.hasOwn(PRESETS, name)
}

/** What a name that no stored policy has stands for: a preset by its own name, and `strict` where handshakes decide. */
export function presetFor(name: string): AppraisalPolicy | null {
  if (name === 'strict' || name === DEFAULT_POLICY) return PRESETS.strict
  return name === 'standard' ? PRESETS.standard : null
}

interface Parsed<T> {
  readonly generation: number
  readonly value: T
}

export class AppraisalSource {
  readonly #documents: DocumentStore
  #policies: Parsed<ReadonlyMap<string, AppraisalPolicy>> | undefined
  #references: Parsed<ReferenceValues> | undefined

  constructor(documents: DocumentStore) {
    this.#documents = documents
  }

  /** A stored policy, or else a preset. @throws {BrokerError} `policy-missing` */
  async policy(name: string): Promise<AppraisalPolicy> {
    const generation = await this.#documents.generation('policy')
    if (this.#policies?.generation !== generation) {
      const stored = await this.#documents.all('policy')
      const value = new Map(stored.map(one => [one.name, parsePolicy(one.document)]))
      this.#policies = { generation, value }
    }
    const policy = this.#policies.value.get(name)
    if (policy !== undefined) return policy
    const preset = presetFor(name)
    if (preset !== null) return preset
    throw new BrokerError('policy-missing', 'there is no such policy')
  }

  /** All reference documents together. */
  async references(): Promise<ReferenceValues> {
    const generation = await this.#documents.generation('reference')
    if (this.#references?.generation !== generation) {
      const stored = await this.#documents.all('reference')
      const value = mergeReferenceValues(...stored.map(({ document }) => parseReferenceValues(document)))
      this.#references = { generation, value }
    }
    return this.#references.value
  }
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
