// Finding workloads by what evidence says: every stated value points at the workloads that state it, so that one
// look-up per field scores them all; a workload matches when it scores on every field that it states.

import type { Claims, Kind } from '@casemate/evidence'
import { codeKnownBy, identifyingPaths, isCodeKnown } from './code-identity.ts'
import { claimReader, isExpectation, showClaim } from './expectation.ts'
import type { CodeKnownBy } from './kinds/kind.ts'
import { WORKLOADS } from './kinds/kinds.ts'
import { type Workload, type WorkloadKind, workloadBlock } from './workload-fields.ts'

/** A field of a known workload that some evidence does not have. */
export interface Difference {
  readonly field: string
  readonly expected: string
  readonly got: string
}

/** The known workload that comes closest to some evidence. */
export interface ClosestReference {
  readonly workload: string
  readonly kind: Kind
  readonly differs: readonly Difference[]
}

/** The workloads among which to look. */
export type Allowed = ReadonlySet<string> | 'known'

/** What was found for some evidence; at most one of workload, closest reference and partial match is there. */
export interface FoundWorkload {
  /** The first workload that matches and says which code runs, by name. */
  readonly workload: string | null
  readonly codeKnownBy: CodeKnownBy
  /** When none matches: the one that agrees on most of its fields, if there is any of the kind. */
  readonly closestReference: ClosestReference | null
  /** One that matches and, with what the policy names, does not say which code runs. */
  readonly partial: PartialMatch | null
}

export interface PartialMatch {
  readonly workload: string
  /** Paths that were compared. */
  readonly compared: ReadonlySet<string>
}

export interface WorkloadIndex {
  /** Known workloads of a kind, of those allowed. */
  count(kind: Kind, allowed: Allowed): number
  /** `identifying`: paths at which the policy itself says which code it wants. */
  find(claims: Claims, allowed: Allowed, identifying: ReadonlySet<string>): FoundWorkload
}

/** A field that a workload states. */
interface Stated {
  readonly name: string
  readonly slot: number
  readonly expected: string
  readonly met: (claim: unknown) => boolean
}

interface Entry {
  readonly name: string
  readonly stated: readonly Stated[]
  /** Paths at which it says which code it is. */
  readonly identifying: readonly string[]
  /** How many of the stated fields are found through the index; the others are minimums. */
  readonly keyed: number
}

interface KindIndex {
  readonly entries: readonly Entry[]
  readonly readers: readonly ((claims: Claims) => unknown)[]
  /** Per field: value to positions in `entries`. */
  readonly byValue: readonly ReadonlyMap<unknown, readonly number[]>[]
}

/** Indexes workloads; of two that both match, the one that came first is named. */
export function indexWorkloads(workloads: readonly Workload[]): WorkloadIndex {
  const kinds = new Map<string, KindIndex>()
  for (const kind of Object.keys(WORKLOADS) as WorkloadKind[]) {
    kinds.set(
      kind,
      indexKind(
        kind,
        workloads.filter(workload => workload.kind === kind),
      ),
    )
  }
  return {
    count: (kind, allowed) => {
      const entries = kinds.get(kind)?.entries ?? []
      return allowed === 'known' ? entries.length : entries.filter(({ name }) => allowed.has(name)).length
    },
    find: (claims, allowed, identifying) => findIn(kinds.get(claims.kind), claims, { allowed, identifying }),
  }
}

function indexKind(kind: WorkloadKind, workloads: readonly Workload[]): KindIndex {
  const fields = Object.entries(workloadBlock(kind).fields).flatMap(([name, node]) =>
    isExpectation(node) ? [{ name, leaf: node.leaf, read: claimReader(node.claim) }] : [],
  )
  const byValue = fields.map(() => new Map<unknown, number[]>())
  const entries = workloads.map((workload, position) => {
    const values = workload as unknown as Readonly<Record<string, unknown>>
    const stated: Stated[] = []
    let keyed = 0
    for (const [slot, { name, leaf }] of fields.entries()) {
      const value = values[name]
      if (value === 'any') continue
      stated.push({ name, slot, expected: leaf.show(value), met: leaf.comparison(value) })
      if (!Array.isArray(value)) continue
      keyed++
      for (const item of value as readonly unknown[]) addTo(byValue[slot], item, position)
    }
    return { name: workload.name, stated, identifying: identifyingPaths(workload), keyed }
  })
  return { entries, readers: fields.map(({ read }) => read), byValue }
}

function addTo(map: Map<unknown, number[]> | undefined, key: unknown, position: number): void {
  const positions = map?.get(key)
  if (positions === undefined) map?.set(key, [position])
  else positions.push(position)
}

/** For each entry, on how many of its keyed fields the claims agree. */
function scores({ entries, readers, byValue }: KindIndex, claims: Claims): Uint8Array {
  const agreed = new Uint8Array(entries.length)
  for (const [slot, read] of readers.entries()) {
    for (const position of byValue[slot]?.get(read(claims)) ?? [])
      agreed[position] = (agreed[position] ?? 0) + 1
  }
  return agreed
}

const NOTHING: FoundWorkload = {
  workload: null,
  codeKnownBy: 'nothing',
  closestReference: null,
  partial: null,
}

interface Wanted {
  readonly allowed: Allowed
  readonly identifying: ReadonlySet<string>
}

function findIn(
  index: KindIndex | undefined,
  claims: Claims,
  { allowed, identifying }: Wanted,
): FoundWorkload {
  if (index === undefined) return NOTHING
  const agreed = scores(index, claims)
  let partial: PartialMatch | null = null
  let closest: Entry | null = null
  let closestScore = -1
  for (const [position, entry] of index.entries.entries()) {
    if (allowed !== 'known' && !allowed.has(entry.name)) continue
    const score = agreed[position] ?? 0
    if (score === entry.keyed && differences(index, entry, claims).length === 0) {
      const compared = new Set([...identifying, ...entry.identifying])
      const by = codeKnownBy(claims.kind, compared)
      if (isCodeKnown(by)) return { ...NOTHING, workload: entry.name, codeKnownBy: by }
      partial ??= { workload: entry.name, compared }
    } else if (score > closestScore) {
      closest = entry
      closestScore = score
    }
  }
  if (partial !== null) return { ...NOTHING, partial }
  if (closest === null) return NOTHING
  const differs = differences(index, closest, claims)
  return { ...NOTHING, closestReference: { workload: closest.name, kind: claims.kind, differs } }
}

function differences({ readers }: KindIndex, entry: Entry, claims: Claims): Difference[] {
  return entry.stated.flatMap(({ name, slot, expected, met }) => {
    const claim = readers[slot]?.(claims)
    return met(claim) ? [] : [{ field: name, expected, got: showClaim(claim) }]
  })
}
