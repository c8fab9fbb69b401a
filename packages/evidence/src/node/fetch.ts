// Fetches the endorsements that one piece of evidence needs, from Intel’s Provisioning Certification Service or a
// caching service with its interface (PCS API v4, PCCS), and from AMD’s Key Distribution Service (57230). What comes
// back is no more trusted than a file: `verify` checks every signature and window.

import { BoundedMap } from '../bounded-map.ts'
import { decodeUtf8, encodeUtf8, toBase64 } from '../bytes.ts'
import { type Endorsements, mergeEndorsements, NO_ENDORSEMENTS, readEndorsements } from '../endorsements.ts'
import type { ParsedEvidence } from '../parse.ts'
import { Refusal } from '../refusal.ts'
import { DiskCache } from './fetch-cache.ts'
import { type HttpAnswer, type HttpOptions, HttpSource, Unavailable, waitFor } from './fetch-http.ts'
import { AMD_KDS_URL, type FetchItem, INTEL_PCS_URL, itemsFor, type TcbUpdate } from './fetch-items.ts'

/** Nothing is kept longer without asking again, whatever its next update says: it is not yet verified. */
export const MAX_CACHE_MS = 30 * 24 * 3_600_000
/** Parsed items in memory; so that verification remembers the signatures in them. */
const MAX_ITEMS_IN_MEMORY = 4096

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
  readonly fetch?: typeof globalThis.fetch
  readonly now?: () => Date
  /** Sits out the pauses between tries. */
  readonly wait?: (milliseconds: number) => Promise<void>
}

export interface EndorsementFetcher {
  /**
   * What the vendor publishes for this evidence; less where the vendor has no such item, which `verify` then names.
   * @throws {Unavailable} where an item cannot be had now
   */
  fetchFor(evidence: ParsedEvidence): Promise<Endorsements>
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
  readonly #underway = new Map<string, Promise<Endorsements | null>>()

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

  async fetchFor(evidence: ParsedEvidence): Promise<Endorsements> {
    const items = itemsFor(evidence, {
      pcsUrl: new URL(this.#options.pcsUrl ?? INTEL_PCS_URL),
      kdsUrl: new URL(this.#options.kdsUrl ?? AMD_KDS_URL),
      update: this.#options.update ?? 'standard',
    })
    return mergeEndorsements(NO_ENDORSEMENTS, ...(await this.#all(items)))
  }

  // Waits for every item even where one has failed: nothing goes on behind the caller’s back.
  async #all(items: readonly FetchItem[]): Promise<readonly Endorsements[]> {
    const outcomes = await Promise.allSettled(items.map(item => this.#first(item)))
    return outcomes.map(outcome => {
      if (outcome.status === 'rejected') throw outcome.reason
      return outcome.value
    })
  }

  // An item may stand at one of several addresses, as a report without CPUID may come from one of two products.
  async #first(item: FetchItem): Promise<Endorsements> {
    for (const { url, more } of item.places) {
      const found = await this.#once(url)
      if (found === null) continue
      return mergeEndorsements(found, ...(await this.#all(more(found))))
    }
    return NO_ENDORSEMENTS
  }

  // One request in flight for each address, however many wait for it.
  #once(url: URL): Promise<Endorsements | null> {
    const underway = this.#underway.get(url.href)
    if (underway !== undefined) return underway
    const started = this.#load(url).finally(() => this.#underway.delete(url.href))
    this.#underway.set(url.href, started)
    return started
  }

  async #load(url: URL): Promise<Endorsements | null> {
    const now = this.#now()
    const kept = this.#kept.get(url.href)
    if (kept !== undefined && now < kept.expiresAt) return kept.endorsements
    const cached = await this.#readCache(url, now)
    if (cached !== null) return cached
    if (this.#options.offline === true) {
      throw new Unavailable(`${url.host}${url.pathname} is not in the cache, and fetching is off`, {
        hint: 'fetch once with a connection, or supply the endorsements from files',
      })
    }
    const answer = await this.#source.get(url)
    return answer === null ? null : await this.#keep(url, answer)
  }

  async #readCache(url: URL, now: number): Promise<Endorsements | null> {
    const cached = await this.#cache.read(url.href, now)
    if (cached === null) return null
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
      throw new Unavailable(`${url.host}${url.pathname} answers with something else`, {
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

// Issuing certificates outlive what they issue, and are fetched again with it.
function nextUpdate(endorsements: Endorsements): number {
  const documents = [
    ...endorsements.crls,
    ...endorsements.tcbInfos,
    ...endorsements.enclaveIdentities,
    ...endorsements.tcbEvaluationNumbers,
  ]
  const ends = documents.map(it => it.nextUpdate)
  return Math.min(...ends, ...endorsements.certificates.map(it => it.notAfter))
}
