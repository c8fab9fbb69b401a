// What of the package needs Node: fetching endorsements, and keeping them on disk.

export { trustAuthorities } from './authorities.ts'
export {
  type CollateralAges,
  type EndorsementFetcher,
  type EndorsementFetcherOptions,
  MAX_CACHE_MS,
  openEndorsementFetcher,
} from './fetch.ts'
export { Unavailable, type UnavailableCode } from './fetch-http.ts'
export { AMD_KDS_URL, INTEL_PCS_URL, INTEL_ROOT_CRL_URL, type TcbUpdate } from './fetch-items.ts'
