// Reference values as the KBS protocol sends them (RVPS messages: names and values) mapped onto one reference
// document, `kbs`, with one workload per kind. A value stands there as it was sent, so that it comes back as it was
// set. What has no place in a workload is refused by name: it would be kept, and nothing would check it.

import {
  AppraisalConfigError,
  type ConfigProblem,
  openWorkload,
  parseReferenceValues,
} from '@casemate/appraisal'
import { checkWithOthers } from '../attestation/appraisal-source.ts'
import { recordOf } from '../document-record.ts'
import { type Actor, entry } from '../entry.ts'
import { BrokerError } from '../errors.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import type { StoredDocument } from '../store/store.ts'
import { untilUnraced } from '../store/unraced.ts'
import { decodeBase64 } from './base64.ts'
import { parseJson, readReferenceValue } from './body.ts'
import type { KbsParts } from './parts.ts'
import { PLACES, type Place, TOGETHER, whyNotHere } from './reference-names.ts'

/** Where reference values are kept. */
export type ReferenceParts = Pick<KbsParts, 'store' | 'logger' | 'now'>

/** Name of the reference document. */
export const KBS_REFERENCES = 'kbs'

type Workload = JsonObject & { readonly kind: string; readonly name: string }

type Values = ReadonlyMap<Place, JsonValue>

/** @throws {BrokerError} `request-malformed`, `reference-invalid` */
export async function putReferenceValues(parts: ReferenceParts, body: unknown, actor: Actor): Promise<void> {
  const values = readValues(body)
  const merged = () => untilUnraced('precondition-failed', () => putMerged(parts, values, actor))
  const open = await untilUnraced('conflict', merged)
  if (open.length > 0)
    parts.logger.warn(
      { leftOpen: open },
      'reference values of a TD compare a part of its code: no TD is known by them until the rest is set',
    )
}

/** @returns what is left open then */
async function putMerged(
  { store, now }: ReferenceParts,
  values: Values,
  actor: Actor,
): Promise<readonly string[]> {
  const { documents } = store
  const stored = await documents.find('reference', KBS_REFERENCES)
  const workloads = merge(workloadsOf(stored), values)
  const document = checked(workloads)
  const open = leftOpen(workloads)
  const beside = await checkWithOthers(documents, KBS_REFERENCES, document)
  const at = now()
  const change = { kind: 'reference', name: KBS_REFERENCES, document, at, beside } as const
  const record = entry(
    { type: 'reference.put', at, actor },
    { name: KBS_REFERENCES, ...(open.length === 0 ? {} : { leftOpen: open }), ...recordOf(document) },
  )
  await documents.put(change, stored?.revision ?? 'none', record)
  return open
}

/** @throws {BrokerError} `reference-missing` */
export async function findReferenceValue(
  { store }: Pick<ReferenceParts, 'store'>,
  id: string,
): Promise<JsonValue> {
  const place = placeOf(id)
  if (place === null) throw new BrokerError('reference-missing', whyNotHere(id))
  const stored = await store.documents.find('reference', KBS_REFERENCES)
  const value = workloadsOf(stored).find(workload => isOf(workload, place))?.[place.field]
  if (value === undefined || value === 'any') {
    throw new BrokerError('reference-missing', `the reference value ${id} was never set`)
  }
  return value
}

function placeOf(name: string): Place | null {
  return (Object.hasOwn(PLACES, name) ? PLACES[name] : null) ?? null
}

function nameOfPlace(kind: string, field: string): string | undefined {
  return Object.keys(PLACES).find(name => PLACES[name]?.kind === kind && PLACES[name]?.field === field)
}

function isOf({ kind, name }: Workload, place: Place): boolean {
  return kind === place.kind && name === `kbs-${kind}`
}

/** The names that have to be set as well before the values of a TD say which code runs. */
function leftOpen(workloads: readonly Workload[]): readonly string[] {
  return TOGETHER.filter(name => {
    const place = placeOf(name)
    const workload = place === null ? undefined : workloads.find(one => isOf(one, place))
    return place !== null && workload?.[place.field] === 'any'
  })
}

function readValues(body: unknown): Values {
  const bytes = decodeBase64(readReferenceValue(body).payload)
  if (bytes === null) throw new BrokerError('reference-invalid', 'the payload is not standard base64')
  const named = parseJson(Buffer.from(bytes).toString('utf8'), 'the payload')
  if (typeof named !== 'object' || named === null || Array.isArray(named)) {
    throw new BrokerError('reference-invalid', 'the payload is not a map of names to values')
  }
  const values = new Map<Place, JsonValue>()
  const refused: string[] = []
  for (const [name, value] of Object.entries(named as JsonObject)) {
    const place = placeOf(name)
    if (place === null) refused.push(whyNotHere(name))
    else if (value === 'any') refused.push(`${name} takes values; what is left open is not set`)
    else values.set(place, value)
  }
  if (refused.length > 0) throw new BrokerError('reference-invalid', summary(refused))
  return values
}

function merge(workloads: readonly Workload[], values: Values): readonly Workload[] {
  const merged = [...workloads]
  for (const [place, value] of values) {
    const { kind, field } = place
    const at = merged.findIndex(workload => isOf(workload, place))
    const workload = merged[at] ?? { kind, name: `kbs-${kind}`, ...openWorkload(kind) }
    merged.splice(at < 0 ? merged.length : at, 1, { ...workload, [field]: value })
  }
  return merged
}

function workloadsOf(stored: StoredDocument | null): readonly Workload[] {
  const workloads = stored?.document['workloads']
  return Array.isArray(workloads) ? (workloads as readonly Workload[]) : []
}

function checked(workloads: readonly Workload[]): JsonObject {
  try {
    parseReferenceValues({ workloads })
    return { workloads }
  } catch (error) {
    if (!(error instanceof AppraisalConfigError)) throw error
    const problems = error.problems.map(problem => explained(workloads, problem))
    throw new BrokerError('reference-invalid', summary(problems), { cause: error })
  }
}

const PROBLEM_PATH = /^workloads\[(\d+)\]\.(\w+)(\[\d+\])?$/

/** A problem under the name that was sent. */
function explained(workloads: readonly Workload[], { path, expected, got, hint }: ConfigProblem): string {
  const [, index, field = '', item = ''] = PROBLEM_PATH.exec(path) ?? []
  const name = nameOfPlace(workloads[Number(index)]?.kind ?? '', field)
  // Over this protocol a value is set or not: `any` is for documents that are written here.
  const [want, what] = [expected, hint].map(text => text.replace("'any', or ", ''))
  return `${name === undefined ? path : name + item}: got ${got}, want ${want}; ${what}`
}

/** How many problems one answer spells out. */
const SUMMED_UP = 10

function summary(problems: readonly string[]): string {
  const more = problems.length - SUMMED_UP
  return `${problems.slice(0, SUMMED_UP).join('. ')}${more > 0 ? `. And ${more} more` : ''}`
}
