// What is wrong with a policy or a reference value document: every problem at once, each with its place,
// so that an author fixes a document in one round. Codes are API, messages are not.

/** One thing wrong with a document. */
export interface ConfigProblem {
  /** Where, e.g. `tdx.mrTd[1]`; empty for the document as a whole. */
  readonly path: string
  /** What is accepted there. */
  readonly expected: string
  /** What was found, shortened. */
  readonly got: string
  /** What to write instead. */
  readonly hint: string
}

/** Which document was refused. */
export type AppraisalConfigCode = 'policy-invalid' | 'reference-values-invalid'

const NOUN: Readonly<Record<AppraisalConfigCode, string>> = {
  'policy-invalid': 'appraisal policy',
  'reference-values-invalid': 'reference value document',
}

/** A document that cannot be used; `problems` has all that is wrong with it. */
export class AppraisalConfigError extends Error {
  override readonly name = 'AppraisalConfigError'
  readonly code: AppraisalConfigCode
  readonly problems: readonly ConfigProblem[]

  constructor(code: AppraisalConfigCode, problems: readonly ConfigProblem[], cause?: unknown) {
    super(`${NOUN[code]}: ${summary(problems)}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.problems = problems
  }
}

/** How many problems the message itself spells out; `problems` has all. */
const SUMMED_UP = 10

function summary(problems: readonly ConfigProblem[]): string {
  const more = problems.length - SUMMED_UP
  return `${problems.slice(0, SUMMED_UP).map(line).join('; ')}${more > 0 ? `; and ${more} more` : ''}`
}

function line({ path, expected, got }: ConfigProblem): string {
  return `${path === '' ? '' : `${path}: `}got ${got}, want ${expected}`
}

/** Longest rendering of a value in a message; enough for one 48-byte measurement. */
const BRIEF_CHARACTERS = 100

/** A value as a message shows it, on one line and shortened. */
export function brief(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value) && value.length === 0) return 'an empty list'
  const text = typeof value === 'string' ? `'${value}'` : plain(value)
  return text.length <= BRIEF_CHARACTERS ? text : `${text.slice(0, BRIEF_CHARACTERS)}…`
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) {
    return `an object with ${Object.keys(value).slice(0, 5).join(', ') || 'no fields'}`
  }
  return String(value)
}
