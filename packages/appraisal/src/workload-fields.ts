// A workload of the reference values, per kind: the fields that say which code it is.

import type { Kind } from '@casemate/evidence'
import type { Block, ValueOf } from './block.ts'
import { WORKLOADS } from './kinds/kinds.ts'

export type WorkloadKind = Kind

/** The fields of one kind, where it does not matter which. */
export const workloadBlock = (kind: WorkloadKind): Block => WORKLOADS[kind].block

/** A workload of a kind of which nothing is stated yet. */
export function openWorkload(kind: WorkloadKind): Readonly<Record<string, 'any'>> {
  const { name: _name, ...fields } = WORKLOADS[kind].block.fields
  return Object.fromEntries(Object.keys(fields).map(field => [field, 'any']))
}

/** A known workload; every field stated, `'any'` where it is left open. */
export type Workload = {
  readonly [K in WorkloadKind]: { readonly kind: K } & ValueOf<(typeof WORKLOADS)[K]['block']>
}[WorkloadKind]
