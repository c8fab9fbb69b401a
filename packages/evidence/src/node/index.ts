// What of the package needs Node: fetching endorsements, keeping them on disk, and reading files that hold them.

export { AMD_KDS_URL } from '../amd/addresses.ts'
export type { TcbUpdate } from '../fetch-item.ts'
export { INTEL_PCS_URL, INTEL_ROOT_CRL_URL } from '../intel/addresses.ts'
export { trustAuthorities } from './authorities.ts'
export {
  type CollateralAges,
  type EndorsementFetcher,
  type EndorsementFetcherOptions,
  MAX_CACHE_MS,
  openEndorsementFetcher,
} from './fetch.ts'
export { Unavailable, type UnavailableCode } from './fetch-http.ts'
export { readWithin } from './read-within.ts'
