// Where the endorsements of one piece of evidence are to be had, as data; `node/fetch.ts` goes there, and the folders of
// the kinds know the addresses.

import type { TrustAnchor } from './anchor.ts'
import type { CollateralClaims } from './claims.ts'
import type { Endorsements } from './endorsements.ts'

/** Intel’s `standard` (when a TCB recovery is enforced), `early` (when it is announced), or one evaluation number. */
export type TcbUpdate = 'standard' | 'early' | number

/** One endorsement, at the first of its addresses that has it. */
export interface FetchItem {
  /**
   * `evidence`: the address is made of what unverified evidence says, so whoever sends it chooses it, and a vendor that
   * will not answer such a request must not keep others from the rest. `vendor`: one of a few addresses.
   */
  readonly namedBy: NamedBy
  /** What stands there, where the vendor issues it again and again: a policy may bound its age. */
  readonly collateral: keyof CollateralClaims | null
  readonly places: readonly FetchPlace[]
}

export type NamedBy = 'evidence' | 'vendor'

export interface FetchPlace {
  readonly url: URL
  /** What else is wanted, once what stands here is known. */
  readonly more: (found: Endorsements) => Promise<readonly FetchItem[]>
}

export interface Services {
  /** Intel’s. */
  readonly pcsUrl: URL
  /** AMD’s. */
  readonly kdsUrl: URL
  readonly update: TcbUpdate
  /** Intel’s and AMD’s: a PCK certificate that leads to none of them names nothing that is worth a request. */
  readonly anchors: readonly TrustAnchor[]
  /** Milliseconds since 1970. */
  readonly now: number
}

/** At one address, which is one of a few. */
export function item(collateral: FetchItem['collateral'], url: URL): FetchItem {
  return { namedBy: 'vendor', collateral, places: [{ url, more: nothing }] }
}

/** Of what stands alone. */
export async function nothing(): Promise<readonly FetchItem[]> {
  return []
}

/** A base may have a path of its own, as behind a reverse proxy. */
export function address(base: URL, path: string, query: Readonly<Record<string, string>>): URL {
  const url = new URL(base)
  url.pathname = url.pathname.replace(/\/$/, '') + path
  url.search = new URLSearchParams(query).toString()
  return url
}
