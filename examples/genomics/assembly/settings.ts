// The measured configuration: which cohort and score this enclave is for, and how a score must be.
// Whoever trusts the measurement trusts these values; nobody can change them afterwards.
import { config } from 'casemate'
import { Limits } from './scoring'
import { parseCount } from './text'

/** Names in the labels of what is sealed. */
export let cohort: string = ''
export let scoreName: string = ''
export let dropsAmbiguous: bool = true
export const limits: Limits = changetype<Limits>(memory.data(16))

/** False if a setting is missing or out of range. */
export function readSettings(): bool {
  cohort = settingOf('cohort')
  scoreName = settingOf('score')
  const ambiguous = settingOf('strandAmbiguous')
  dropsAmbiguous = ambiguous == 'drop'
  limits.minimumVariants = numberOf('minimumVariants')
  limits.minimumPeople = numberOf('minimumPeople')
  limits.maximumShare = numberOf('maximumSharePercent')
  limits.maximumMissing = numberOf('maximumMissingPercent')
  return (
    cohort.length > 0 &&
    scoreName.length > 0 &&
    (dropsAmbiguous || ambiguous == 'keep') &&
    limits.minimumVariants > 0 &&
    limits.minimumPeople > 0 &&
    limits.maximumShare >= 0 &&
    limits.maximumShare <= 100 &&
    limits.maximumMissing >= 0 &&
    limits.maximumMissing <= 100
  )
}

function settingOf(name: string): string {
  const value = config(name)
  return value === null ? '' : value
}

function numberOf(name: string): i32 {
  const bytes = String.UTF8.encode(settingOf(name))
  const start = changetype<usize>(bytes)
  return parseCount(start, start + bytes.byteLength)
}
