// What a verification did, in order, for a person to read: every step names itself and what it looked at.

/** One check that passed, e.g. `{ name: 'qe-report-signature', looked: 'PCK certificate 0x69…, QE report' }`. */
export interface Step {
  /** Stable kebab-case name of the check. */
  readonly name: string
  /** What was looked at, in the specification’s words, with the values that decided. */
  readonly looked: string
}
