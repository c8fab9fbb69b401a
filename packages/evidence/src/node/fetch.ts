// Fetches the endorsements that one piece of evidence needs, from Intel’s Provisioning Certification Service or a
// caching service with its interface (PCS API v4, PCCS), and from AMD’s Key Distribution Service (57230). What comes
// back is no more trusted than a file: `verify` checks every signature and window.

import { AMD_KDS_URL } from '../amd/addresses.ts'
import type { TrustAnchor } from '../anchor.ts'
import { VENDOR_ANCHORS } from '../anchors.ts'
import { BoundedMap } from '../bounded-map.ts'
import { decodeUtf8, encodeUtf8, toBase64 } from '../bytes.ts'
import type { CollateralClaims } from '../claims.ts'
import { DOCUMENT_LISTS } from '../documents/documents.ts'
import { type Endorsements, mergeEndorsements, NO_ENDORSEMENTS } from '../endorsements.ts'
import type { FetchItem, NamedBy, TcbUpdate } from '../fetch-item.ts'
import { INTEL_PCS_URL } from '../intel/addresses.ts'
import { kindOf, type ParsedEvidence } from '../kinds.ts'
import { readEndorsements } from '../read-endorsements.ts'
import { Refusal } from '../refusal.ts'
import { RequestBudget } from './fetch-budget.ts'
import { DiskCache } from './fetch-cache.ts'
import {
  type HttpAnswer,
  type HttpOptions,
  HttpSource,
  Unavailable,
  unavailableAt,
  waitFor,
} from './fetch-http.ts'

/** Nothing is kept longer without asking again, whatever its next update says: it is not yet verified. */
export const MAX_CACHE_MS = 30 * 24 * 3_600_000
/** Parsed items in memory; so that verification remembers the signatures in them. */
const MAX_ITEMS_IN_MEMORY = 4096
/** How long a vendor’s ‘no such item’ is believed, and of how many items. */
const MISSING_MS = 600_000
const MAX_MISSING = 4096
/** What is older than wanted is asked for again, and not more often than this: the vendor may have nothing newer. */
export const RENEWAL_PAUSE_MS = 3_600_000

export interface EndorsementFetcherOptions {
  /** Made with mode 0700 where it does not exist. */
  readonly cacheDir: string
  /** Base address without a path; {@link INTEL_PCS_URL}, or that of a PCCS. */
  readonly pcsUrl?: string
  /** Base address without a path; {@link AMD_KDS_URL}, or that of a mirror. */
  readonly kdsUrl?: string
  /** Intel’s `standard` (when a TCB recovery is enforced), `early` (when it is announced), or one evaluation number. */
  readonly update?: TcbUpdate
  /** Answer from the cache alone. */
  readonly offline?: boolean
  /** Whose PCK certificates are worth a request; {@link VENDOR_ANCHORS}. */
  readonly anchors?: readonly TrustAnchor[]
  readonly fetch?: typeof globalThis.fetch
  readonly now?: () => Date
  /** Sits out the pauses between tries. */
  readonly wait?: (milliseconds: number) => Promise<void>
}

export interface EndorsementFetcher {
  /**
   * What the vendor publishes for this evidence; less where the vendor has no such item, which `verify` then names.
   * `client` is who sent it, and has a budget for requests to addresses that the evidence names; null is whoever runs
   * this, and has none. What was kept and is older than `maxAges` says is fetched anew, where the vendor has newer.
   * @throws {Unavailable} where an item cannot be had now
   */
  fetchFor(evidence: ParsedEvidence, client: string | null, maxAges?: CollateralAges): Promise<Endorsements>
}

/** Milliseconds since the vendor issued it; without a limit what is kept serves until its next update. */
export type CollateralAges = { readonly [Kind in keyof CollateralClaims]?: number }

/** For whom, and how old what is kept may be. */
interface Request {
  readonly client: string | null
  readonly maxAges: CollateralAges
}

/** Opens a fetcher; it keeps what it fetched in memory and in `cacheDir` until its next update. */
export function openEndorsementFetcher(options: EndorsementFetcherOptions): EndorsementFetcher {
  return new CachingFetcher(options)
}

interface KeptItem {
  readonly endorsements: Endorsements
  readonly expiresAt: number
}

class CachingFetcher implements EndorsementFetcher {
  readonly #options: EndorsementFetcherOptions
  readonly #now: () => number
  readonly #cache: DiskCache
  readonly #source: HttpSource
  readonly #kept = new BoundedMap<string, KeptItem>(MAX_ITEMS_IN_MEMORY)
  /** Addresses that the vendor has nothing at, and until when that is believed. */
  readonly #missing = new BoundedMap<string, number>(MAX_MISSING)
  /** When addresses were last asked. */
  readonly #asked = new BoundedMap<string, number>(MAX_ITEMS_IN_MEMORY)
  readonly #underway = new Map<string, Promise<Endorsements | null>>()
  readonly #budget = new RequestBudget()

  constructor(options: EndorsementFetcherOptions) {
    const clock = options.now ?? (() => new Date())
    this.#options = options
    this.#now = () => clock().getTime()
    this.#cache = new DiskCache(options.cacheDir)
    const http: HttpOptions = {
      fetch: options.fetch ?? globalThis.fetch,
      now: this.#now,
      wait: options.wait ?? waitFor,
    }
    this.#source = new HttpSource(http)
  }

  async fetchFor(
    evidence: ParsedEvidence,
    client: string | null,
    maxAges: CollateralAges = {},
  ): Promise<Endorsements> {
    const items = kindOf(evidence).fetchItems(evidence, {
      pcsUrl: new URL(this.#options.pcsUrl ?? INTEL_PCS_URL),
      kdsUrl: new URL(this.#options.kdsUrl ?? AMD_KDS_URL),
      update: this.#options.update ?? 'standard',
      anchors: this.#options.anchors ?? VENDOR_ANCHORS,
      now: this.#now(),
    })
    return mergeEndorsements(NO_ENDORSEMENTS, ...(await this.#all(items, { client, maxAges })))
  }

  // Waits for every item even where one has failed: nothing goes on behind the caller’s back.
  async #all(items: readonly FetchItem[], request: Request): Promise<readonly Endorsements[]> {
    const outcomes = await Promise.allSettled(items.map(item => this.#first(item, request)))
    return outcomes.map(outcome => {
      if (outcome.status === 'rejected') throw outcome.reason
      return outcome.value
    })
  }

  // An item may stand at one of several addresses, as a report without CPUID may come from one of two products.
  async #first({ places, namedBy, collateral }: FetchItem, request: Request): Promise<Endorsements> {
    const maxAgeMs = collateral === null ? undefined : request.maxAges[collateral]
    for (const { url, more } of places) {
      const known = await this.#known(url)
      const isUsable = known !== undefined && !this.#isToRenew(url, known, maxAgeMs)
      const found = isUsable ? known : await this.#once(url, namedBy, request.client)
      if (found === null) continue
      return mergeEndorsements(found, ...(await this.#all(await more(found), request)))
    }
    return NO_ENDORSEMENTS
  }

  #isToRenew(url: URL, known: Endorsements | null, maxAgeMs: number | undefined): boolean {
    if (maxAgeMs === undefined || known === null || this.#options.offline === true) return false
    const now = this.#now()
    // A time that is ahead was noted before the clock was set back.
    const asked = this.#asked.get(url.href) ?? 0
    const isPaused = asked <= now && now < asked + RENEWAL_PAUSE_MS
    return !isPaused && now - issuedAt(known) > maxAgeMs
  }

  /** From memory or disk, null for what the vendor does not have; undefined: to be asked for. */
  async #known(url: URL): Promise<Endorsements | null | undefined> {
    const now = this.#now()
    return this.#remembered(url, now) ?? (await this.#readCache(url, now)) ?? this.#remembered(url, now)
  }

  #remembered(url: URL, now: number): Endorsements | null | undefined {
    const kept = this.#kept.get(url.href)
    if (kept !== undefined && isCurrent(kept.expiresAt, now, MAX_CACHE_MS)) return kept.endorsements
    return isCurrent(this.#missing.get(url.href) ?? 0, now, MISSING_MS) ? null : undefined
  }

  // One request in flight for each address, however many wait for it; who begins it is charged for it.
  #once(url: URL, namedBy: NamedBy, client: string | null): Promise<Endorsements | null> {
    const underway = this.#underway.get(url.href)
    if (underway !== undefined) return underway
    this.#permit(url, namedBy, client)
    const started = this.#ask(url, namedBy).finally(() => this.#underway.delete(url.href))
    this.#underway.set(url.href, started)
    return started
  }

  #permit(url: URL, namedBy: NamedBy, client: string | null): void {
    if (this.#options.offline === true) {
      throw unavailableAt(url, 'is not in the cache, and fetching is off', {
        hint: 'fetch once with a connection, or supply the endorsements from files',
      })
    }
    if (namedBy === 'vendor' || client === null) return
    const retryAfterMs = this.#budget.take(client, this.#now())
    if (retryAfterMs === 0) return
    throw new Unavailable('too many endorsements were asked for on behalf of unverified evidence', {
      retryAfterMs,
      hint: 'let guests send their certificates, or supply them from files',
    })
  }

  async #ask(url: URL, namedBy: NamedBy): Promise<Endorsements | null> {
    const answer = await this.#source.get(url, namedBy)
    this.#asked.set(url.href, this.#now())
    if (answer !== null) return this.#keep(url, answer)
    this.#missing.set(url.href, this.#now() + MISSING_MS)
    return null
  }

  async #readCache(url: URL, now: number): Promise<Endorsements | null> {
    const cached = await this.#cache.read(url.href, now)
    if (cached === null || !isCurrent(cached.expiresAt, now, MAX_CACHE_MS)) return null
    const endorsements = read(url, cached.answer)
    // Damage that the checksum cannot see, such as another version’s idea of an endorsement.
    if (endorsements instanceof Refusal) return null
    this.#kept.set(url.href, { endorsements, expiresAt: cached.expiresAt })
    return endorsements
  }

  async #keep(url: URL, answer: HttpAnswer): Promise<Endorsements> {
    const text = savedAnswer(answer)
    const endorsements = read(url, text)
    if (endorsements instanceof Refusal) {
      throw unavailableAt(url, 'answers with something else', {
        hint: 'the address may belong to another service, or a proxy may be answering',
        cause: endorsements,
      })
    }
    const now = this.#now()
    const expiresAt = Math.min(nextUpdate(endorsements), now + MAX_CACHE_MS)
    // What is out of date already, as from a service that lags behind, is asked for again next time.
    if (expiresAt <= now) return endorsements
    this.#kept.set(url.href, { endorsements, expiresAt })
    try {
      await this.#cache.write(url.href, { answer: text, expiresAt }, now)
    } catch (error) {
      throw new Unavailable('the cache of endorsements cannot be written', {
        hint: `make ${this.#options.cacheDir} writable`,
        cause: error,
      })
    }
    return endorsements
  }
}

function read(url: URL, answer: string): Endorsements | Refusal {
  try {
    return readEndorsements([{ name: url.href, bytes: encodeUtf8(answer) }])
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

/** Whether `until` is ahead, and no further than it can be noted: else the clock was set back since. */
function isCurrent(until: number, now: number, longestMs: number): boolean {
  return now < until && until <= now + longestMs
}

// The form that `curl -i` saves and `readEndorsements` knows; of the headers only issuer chains matter.
function savedAnswer({ headers, body }: HttpAnswer): string {
  const chains = [...headers].filter(([name]) => name.endsWith('-issuer-chain'))
  const text = decodeUtf8(body)
  return [
    'HTTP/1.1 200 OK',
    ...chains.map(([name, value]) => `${name}: ${value}`),
    '',
    text !== null && !text.includes('\0') ? text : toBase64(body),
  ].join('\r\n')
}

/** When the oldest document was issued. */
function issuedAt(endorsements: Endorsements): number {
  const issued = documentsOf(endorsements).map(it => it.issueDate)
  return Math.min(...issued, ...endorsements.crls.map(it => it.thisUpdate))
}

// Issuing certificates outlive what they issue, and are fetched again with it.
function nextUpdate(endorsements: Endorsements): number {
  const ends = [...documentsOf(endorsements), ...endorsements.crls].map(it => it.nextUpdate)
  return Math.min(...ends, ...endorsements.certificates.map(it => it.notAfter))
}

interface Dated {
  readonly issueDate: number
  readonly nextUpdate: number
}

function documentsOf(endorsements: Endorsements): readonly Dated[] {
  return DOCUMENT_LISTS.flatMap((list): readonly Dated[] => endorsements[list])
}
