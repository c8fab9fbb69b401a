// Why there is no answer: the statuses of this enclave's calls. README.md lists them for people.

/** Everything is as it should be. */
export const OK: i32 = 0
/** A call that does not come now: loads go in order and once, requests only after `open`. */
export const OUT_OF_ORDER: i32 = 1
/** The measured configuration lacks a setting, or one is out of range. */
export const CONFIGURATION: i32 = 2
/** Not sealed for this enclave by the holder of the data key, or changed since. */
export const NOT_SEALED: i32 = 3
/** Sealed, but as something else: another kind, another cohort or score, another part. */
export const WRONG_LABEL: i32 = 4
/** An earlier load failed: this instance takes nothing more. */
export const SPOILT: i32 = 5
/** The request is too short or too long. */
export const REQUEST_MALFORMED: i32 = 6
/** Nobody of that name with that consent. One answer for both, so that nobody learns who is in the cohort. */
export const NOT_CONSENTED: i32 = 7

export const SCORE_MALFORMED: i32 = 20
export const SCORE_COLUMNS: i32 = 21
/** Haplotypes, diplotypes, interactions, unknown effect types: what a plain weighted sum is not. */
export const SCORE_UNSUPPORTED: i32 = 22
/** Fewer variants than the configuration wants, or one that outweighs the others: a band would tell a genotype. */
export const SCORE_REVEALING: i32 = 23

export const VCF_MALFORMED: i32 = 30
/** The header line is missing, twice there, late or not VCF's. */
export const VCF_HEADER: i32 = 31
/** There are no samples, or one twice. */
export const VCF_SAMPLES: i32 = 32
/** A record that is needed has no genotypes: FORMAT does not begin with GT. */
export const VCF_NO_GENOTYPES: i32 = 33
/** A record has fewer or more genotypes than there are samples, or the last line has no end. */
export const VCF_TRUNCATED: i32 = 34

export const CONSENTS_MALFORMED: i32 = 40
/** Fewer people with a score than the configuration wants. */
export const COHORT_TOO_SMALL: i32 = 41
