// Members of JSON, whoever wrote it.

/** The members of a JSON object. */
export type Members = Readonly<Record<string, unknown>>

/** Null for what is no object. */
export function membersOf(value: unknown): Members | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : null
}

/** A member that stands beside the evidence: of certificates, read only where the evidence is of AMD, or of a rival. */
export interface Beside {
  readonly name: string
  readonly value: unknown
}
