// The enclave's statuses in words for people; the numbers are those of `assembly/status.ts`.
import { EnclaveError } from '@casemate/enclave'

export const STATUSES: Readonly<Record<number, string>> = {
  1: 'not now: loads come in order and once, requests after them',
  2: 'the measured configuration lacks a rule, or has one out of range',
  3: 'it is not sealed for this enclave, or was changed',
  4: 'it is sealed as something else: another kind, cohort, score, part or set',
  5: 'an earlier load failed; the instance takes nothing more',
  6: 'the request is too short',
  7: 'nobody of that name has given that consent',
  20: 'a row of the score file is malformed',
  21: 'the score file lacks a column, or has one twice',
  22: 'the score is no plain weighted sum',
  23: 'too few variants match, or one outweighs the others: the score would reveal a genotype',
  30: 'a record of the VCF is malformed',
  31: 'the VCF has no header line, or one that is late or there twice',
  32: 'the VCF has no samples, or one of them twice',
  33: 'a record of the VCF that is needed has no GT',
  34: 'the VCF is cut off, or a record has too many genotypes',
  40: 'the list of consents is malformed',
  41: 'too few people have a score',
}

/** The same error in words, where it is a status of this enclave. */
export function explained(error: unknown, what: string): unknown {
  if (!(error instanceof EnclaveError) || error.code !== 'call-failed') return error
  const meaning = STATUSES[Number(error.got)]
  if (meaning === undefined) return error
  return new EnclaveError('call-failed', `${what}: ${meaning} (status ${error.got})`, {
    ...(error.got === undefined ? {} : { got: error.got }),
    cause: error,
  })
}
