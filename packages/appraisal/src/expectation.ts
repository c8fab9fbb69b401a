// A field of the policy that is an expectation on one claim: which claim, which aspect of trust it bears on,
// and what a person can do when it is not met.

import type { Claims, ClaimsOf, Kind } from '@casemate/evidence'
import { type Field, field, type Node } from './block.ts'
import type { Leaf } from './leaf.ts'
import type { Facet } from './trust-vector.ts'

type Leaves<T> = {
  [K in keyof T & string]: NonNullable<T[K]> extends readonly unknown[]
    ? K
    : NonNullable<T[K]> extends object
      ? `${K}.${Leaves<NonNullable<T[K]>>}`
      : K
}[keyof T & string]

/** A dotted path to a claim of any kind, e.g. `snp.policy.smtAllowed`. */
export type ClaimPath = { [K in Kind]: Leaves<ClaimsOf<K>> }[Kind]

/** A field that is compared with a claim. */
export interface Expectation<T> extends Field<T> {
  readonly claim: ClaimPath
  readonly facet: Facet
  readonly remedy: string
  readonly remedyIfNone?: string
  readonly reason?: ExpectationDetail['reason']
}

/** What {@link expect} wants to know. */
export interface ExpectationDetail {
  readonly claim: ClaimPath
  readonly facet: Facet
  readonly meaning: string
  /** The hint of a violation. */
  readonly remedy: string
  /** The hint where the evidence says nothing at all; else the same. */
  readonly remedyIfNone?: string
  /** What the claims say of why it is so, for the hint; empty where they say nothing. */
  readonly reason?: (claims: Claims, wanted: unknown) => string
}

export const expect = <T>(leaf: Leaf<T>, { meaning, ...detail }: ExpectationDetail): Expectation<T> => ({
  ...field(leaf, meaning),
  ...detail,
})

/** Whether a node of a table is compared with a claim. */
export function isExpectation(node: Node): node is Expectation<unknown> {
  return node.is === 'field' && 'claim' in node
}

/** Reads claims by path. What is not there reads as undefined, which meets no expectation. */
export function claimReader(path: ClaimPath): (claims: Claims) => unknown {
  const keys = path.split('.')
  return claims => {
    let value: unknown = claims
    for (const key of keys) {
      if (typeof value !== 'object' || value === null) return undefined
      value = (value as Record<string, unknown>)[key]
    }
    return value
  }
}

/** A claim as a result shows it. */
export function showClaim(claim: unknown): string {
  if (claim === null || claim === undefined || claim === '') return 'none'
  if (typeof claim === 'string') return claim
  if (Array.isArray(claim)) return claim.map(showClaim).join(', ') || 'none'
  return typeof claim === 'symbol' || typeof claim === 'function' ? typeof claim : JSON.stringify(claim)
}
