// Reference values: named workloads and what evidence of each looks like. Indexed when parsed, so that finding the
// workload of some evidence, or the one that comes closest, does not depend on how many there are.

import type { Claims } from '@casemate/evidence'
import { deepFreeze, plainObject, type Reading, readBlock, refuseUnknown, schemaOf } from './block.ts'
import { readDocument } from './document.ts'
import { anyOf, type JsonSchema, listOf, objectOf, wordOf } from './json-schema.ts'
import { appraisedKind, WORKLOADS } from './kinds/kinds.ts'
import { meantHint } from './leaf.ts'
import { AppraisalConfigError, brief, type ConfigProblem } from './problem.ts'
import { type Workload, type WorkloadKind, workloadBlock } from './workload-fields.ts'
import { indexWorkloads, type WorkloadIndex } from './workload-index.ts'

/** Known workloads; made by `parseReferenceValues`, frozen. */
export interface ReferenceValues {
  readonly workloads: readonly Workload[]
}

/** Workloads in one document, or in all that are merged for an appraisal. */
export const MAX_WORKLOADS = 4096

const INVALID = 'reference-values-invalid'
const INDEXES = new WeakMap<ReferenceValues, WorkloadIndex>()

/**
 * Reference values from their document: text (YAML or JSON) or already parsed data.
 * @throws {AppraisalConfigError} `reference-values-invalid`, with every problem of the document
 */
export function parseReferenceValues(document: unknown): ReferenceValues {
  const problems: ConfigProblem[] = []
  const given = plainObject(readDocument(INVALID, document), '', problems)
  if (given !== null) refuseUnknown(given, { workloads: 'Known workloads.' }, '', problems)
  const entries = given !== null && Object.hasOwn(given, 'workloads') ? given['workloads'] : undefined
  const workloads = given === null ? [] : readWorkloads(entries, problems)
  if (problems.length > 0) throw new AppraisalConfigError(INVALID, problems)
  return indexed(workloads)
}

/** The workloads of several documents together; with none, no workload is known. */
export function mergeReferenceValues(...all: readonly ReferenceValues[]): ReferenceValues {
  const workloads = all.flatMap(values => values.workloads)
  if (workloads.length > MAX_WORKLOADS) throw tooMany(workloads.length)
  return indexed(workloads)
}

function tooMany(count: number): AppraisalConfigError {
  const hint = 'remove workloads that are no longer run'
  const expected = `at most ${MAX_WORKLOADS} workloads`
  return new AppraisalConfigError(INVALID, [{ path: 'workloads', expected, got: String(count), hint }])
}

function indexed(workloads: readonly Workload[]): ReferenceValues {
  const values = deepFreeze({ workloads: [...workloads] })
  INDEXES.set(values, indexWorkloads(workloads))
  return values
}

/**
 * The index of reference values.
 * @throws {TypeError} when they were not made by `parseReferenceValues`: they could lack fields
 */
export function workloadIndex(values: ReferenceValues): WorkloadIndex {
  const index = INDEXES.get(values)
  if (index === undefined) throw new TypeError('the reference values were not made by parseReferenceValues')
  return index
}

function readWorkloads(entries: unknown, problems: ConfigProblem[]): Workload[] {
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > MAX_WORKLOADS) {
    const expected = `a list of 1 to ${MAX_WORKLOADS} workloads`
    const hint = 'list the workloads; without any, delete the document'
    problems.push({ path: 'workloads', expected, got: brief(entries), hint })
    return []
  }
  const seen = new Set<string>()
  return entries.flatMap((entry: unknown, position) => {
    const workload = readWorkload(entry, `workloads[${position}]`, problems)
    if (workload === null) return []
    const key = `${workload.kind} ${workload.name}`
    if (seen.has(key)) {
      const hint = 'give each its own name, or list the values of both in one'
      const path = `workloads[${position}].name`
      problems.push({ path, expected: `a name once per kind`, got: `'${workload.name}' again`, hint })
    }
    seen.add(key)
    return [workload]
  })
}

const WORKLOAD_KINDS = Object.keys(WORKLOADS).join(', ')

function missingHint(_path: string, takesAny: boolean): string {
  return takesAny ? "state it; 'any' leaves it unchecked" : 'state it'
}

function readWorkload(entry: unknown, path: string, problems: ConfigProblem[]): Workload | null {
  const given = plainObject(entry, path, problems)
  if (given === null) return null
  const { kind, ...fields } = given
  if (typeof kind !== 'string' || !isWorkloadKind(kind)) {
    const hint = meantHint(kind, Object.keys(WORKLOADS)) ?? 'the kind decides which other fields there are'
    problems.push({ path: `${path}.kind`, expected: `one of ${WORKLOAD_KINDS}`, got: brief(kind), hint })
    return null
  }
  const before = problems.length
  const reading: Reading = { problems, missingHint }
  const values: Readonly<Record<string, unknown>> = readBlock(
    workloadBlock(kind),
    fields,
    { path, base: undefined },
    reading,
  )
  if (problems.length > before) return null
  const { identifying } = WORKLOADS[kind]
  if (identifying.every(name => values[name] === 'any')) {
    const expected = `a value for at least one of ${identifying.join(', ')}`
    const hint = 'it would match everything; to accept any workload, write `workloads: any` in the policy'
    problems.push({ path, expected, got: "'any' for all of them", hint })
  }
  return { kind, ...values } as unknown as Workload
}

function isWorkloadKind(kind: string): kind is WorkloadKind {
  return Object.hasOwn(WORKLOADS, kind)
}

/** JSON Schema of a reference value document. */
export const REFERENCE_VALUES_SCHEMA: JsonSchema = deepFreeze({
  ...objectOf(
    {
      workloads: listOf(anyOf((Object.keys(WORKLOADS) as WorkloadKind[]).map(entry)), {
        minItems: 1,
        maxItems: MAX_WORKLOADS,
        description: 'Known workloads. Evidence matches one when every field of it matches.',
      }),
    },
    ['workloads'],
    { description: 'Reference values: the workloads that are known.' },
  ),
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:casemate:schema:reference-values',
  title: 'Casemate reference values',
})

function entry(kind: WorkloadKind): JsonSchema {
  const block = workloadBlock(kind)
  const properties = { kind: wordOf(kind), ...schemaOf(block, true).properties }
  return objectOf(properties, Object.keys(properties), { description: block.meaning })
}

/** A document entry for the workload that this evidence shows, to paste or to store; every measurement is stated. */
export function workloadOf(claims: Claims, name: string): Workload {
  const { kind } = claims
  return { kind, name, ...appraisedKind(kind)?.workloadOf(claims) } as Workload
}
