// Reference values as the KBS protocol sends them (RVPS messages: names and values) mapped onto one reference
// document, `kbs`, with one workload per kind. Only measurements of code are reference values here; what the
// protocol's default policies also call by that name (TCB numbers, debug bits) are fields of the appraisal policy.

import { AppraisalConfigError, parseReferenceValues } from '@casemate/appraisal'
import type { BrokerContext } from '../context.ts'
import { type Actor, entry } from '../entry.ts'
import { BrokerError } from '../errors.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import type { StoredDocument } from '../store/store.ts'
import { decodeBase64 } from './base64.ts'
import { parseJson, readReferenceValue } from './body.ts'

/** Name of the reference document. */
export const KBS_REFERENCES = 'kbs'

interface Place {
  readonly kind: 'snp' | 'tdx' | 'sgx' | 'sample'
  readonly field: string
}

/** The protocol's names and where their values belong. */
const PLACES: Readonly<Record<string, Place>> = {
  snp_launch_measurement: { kind: 'snp', field: 'measurement' },
  mr_td: { kind: 'tdx', field: 'mrTd' },
  rtmr_0: { kind: 'tdx', field: 'rtmr0' },
  rtmr_1: { kind: 'tdx', field: 'rtmr1' },
  rtmr_2: { kind: 'tdx', field: 'rtmr2' },
  rtmr_3: { kind: 'tdx', field: 'rtmr3' },
  mr_enclave: { kind: 'sgx', field: 'mrEnclave' },
  mr_signer: { kind: 'sgx', field: 'mrSigner' },
  svn: { kind: 'sample', field: 'svn' },
}

/** A workload of each kind of which nothing is stated yet. */
const OPEN: Readonly<Record<Place['kind'], JsonObject>> = {
  snp: { measurement: 'any', idKeyDigest: 'any', authorKeyDigest: 'any', minGuestSvn: 'any' },
  tdx: { mrTd: 'any', rtmr0: 'any', rtmr1: 'any', rtmr2: 'any', rtmr3: 'any' },
  sgx: { mrEnclave: 'any', mrSigner: 'any', isvProdId: 'any', minIsvSvn: 'any' },
  sample: { svn: 'any' },
}

type Workloads = Readonly<Record<string, JsonObject>>

/** Attempts where another administrator changes the document at the same time. */
const MAX_ATTEMPTS = 3

/** @throws {BrokerError} `request-malformed`, `reference-invalid` */
export async function putReferenceValues(context: BrokerContext, body: unknown, actor: Actor): Promise<void> {
  const values = readValues(body)
  for (let attempt = 1; ; attempt++) {
    const stored = await context.store.documents.find('reference', KBS_REFERENCES)
    const document = checked(documentOf(merge(workloadsOf(stored), values)))
    const at = context.now()
    const change = { kind: 'reference', name: KBS_REFERENCES, document, at } as const
    const record = entry({ type: 'reference.put', at, actor }, { name: KBS_REFERENCES })
    try {
      await context.store.documents.put(change, stored?.revision ?? 'none', record)
      return
    } catch (error) {
      const raced = error instanceof BrokerError && error.code === 'precondition-failed'
      if (!raced || attempt === MAX_ATTEMPTS) throw error
    }
  }
}

/** @throws {BrokerError} `reference-missing` */
export async function findReferenceValue(context: BrokerContext, id: string): Promise<JsonValue> {
  const place = Object.hasOwn(PLACES, id) ? PLACES[id] : undefined
  const stored = await context.store.documents.find('reference', KBS_REFERENCES)
  const value = place === undefined ? undefined : workloadsOf(stored)[place.kind]?.[place.field]
  if (value === undefined || value === 'any') {
    throw new BrokerError('reference-missing', 'there is no such reference value')
  }
  return value
}

function readValues(body: unknown): ReadonlyMap<Place, readonly JsonValue[]> {
  const bytes = decodeBase64(readReferenceValue(body).payload)
  if (bytes === null) throw new BrokerError('reference-invalid', 'the payload is not standard base64')
  const named = parseJson(Buffer.from(bytes).toString('utf8'), 'the payload')
  if (typeof named !== 'object' || named === null || Array.isArray(named)) {
    throw new BrokerError('reference-invalid', 'the payload is not a map of names to values')
  }
  return new Map(
    Object.entries(named as JsonObject).map(([name, value]) => {
      const place = Object.hasOwn(PLACES, name) ? PLACES[name] : undefined
      if (place === undefined) throw unknownName(name)
      return [place, Array.isArray(value) ? value : [value]]
    }),
  )
}

function merge(workloads: Workloads, values: ReadonlyMap<Place, readonly JsonValue[]>): Workloads {
  const merged: Record<string, JsonObject> = { ...workloads }
  for (const [{ kind, field }, value] of values) {
    const workload = merged[kind] ?? { kind, name: `kbs-${kind}`, ...OPEN[kind] }
    merged[kind] = { ...workload, [field]: value }
  }
  return merged
}

function workloadsOf(stored: StoredDocument | null): Workloads {
  const workloads = stored?.document['workloads'] ?? []
  const list = Array.isArray(workloads) ? (workloads as readonly (JsonObject & { kind: string })[]) : []
  return Object.fromEntries(list.map(workload => [workload.kind, workload]))
}

function documentOf(workloads: Workloads): JsonObject {
  return { workloads: Object.values(workloads) }
}

function checked(document: JsonObject): JsonObject {
  try {
    parseReferenceValues(document)
    return document
  } catch (error) {
    if (!(error instanceof AppraisalConfigError)) throw error
    throw new BrokerError('reference-invalid', error.message, { cause: error })
  }
}

function unknownName(name: string): BrokerError {
  const shown = /^[\w-]{1,64}$/.test(name) ? name : 'a name'
  return new BrokerError(
    'reference-invalid',
    `${shown} is not a reference value here; want one of ${Object.keys(PLACES).join(', ')}. ` +
      'TCB and configuration are fields of the appraisal policy: PUT /v1/policies/default',
  )
}
