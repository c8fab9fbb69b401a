// Why the ledger, or something that claims to come from one, was not accepted: one error class, one table of codes.
// Codes are API, messages are not; each code has exactly one meaning.

/** Every code a {@link LedgerError} can carry, with its one meaning. */
export const LEDGER_ERRORS = {
  'entry-invalid': 'the entry is not a JSON object, or holds something that JSON cannot say',
  'entry-too-large': 'the canonical form of the entry is longer than the ledger takes',
  'entry-not-found': 'the log has no entry at that index',
  'entry-erased': 'the content of the entry was erased; only its commitment is left',
  'out-of-range': 'an index, size or tile lies beyond the log, or is no such number at all',
  'change-refused': 'the state is not what the change was made for; neither it nor its entry was recorded',
  'ledger-busy': 'more appends are waiting than the ledger takes; nothing was recorded, try again',
  'ledger-unavailable': 'the database refused the transaction; nothing was recorded, try again',
  'ledger-failed': 'the storage failed; nothing is written any more until the ledger is opened again',
  'ledger-closed': 'the ledger was closed',
  'ledger-damaged': 'what is stored contradicts itself or a checkpoint that was shown',
  'ledger-cut': 'the log ends before the state that its mark outside the database remembers',
  'ledger-forked':
    'the log has another root than one that was shown, or marked outside the database, for that size',
  'mark-missing': 'a mark of the log was kept outside the database, and is not there',
  'mark-damaged': 'the mark of the log outside the database cannot be read',
  'mark-foreign': 'the mark outside the database is of another log',
  'ledger-newer': 'the ledger was written by a newer version of this program',
  'ledger-foreign': 'the stored log belongs to another origin or signing key',
  'ledger-not-durable': 'the database would acknowledge before it has synced',
  'key-malformed': 'not an Ed25519 verifier key of the form name+hash+base64',
  'note-malformed': 'not a C2SP signed note',
  'checkpoint-malformed': 'the text of the note is not a C2SP tlog-checkpoint',
  'checkpoint-untrusted': 'the note bears no valid signature by the key that was given',
  'checkpoint-foreign': 'the checkpoint speaks of another log than the one that was asked about',
  'checkpoint-inconsistent': 'the newer checkpoint is not an extension of the older one',
  'proof-invalid': 'the inclusion proof does not lead from the leaf to the root',
  'path-malformed': 'not a path of a tile or entry bundle as C2SP tlog-tiles writes it',
  'tile-malformed': 'not as many hashes as the tile of that path has',
  'bundle-malformed': 'not an entry bundle of this log’s leaves',
  'receipt-malformed': 'not a receipt: a field is missing, unknown or of the wrong shape',
  'receipt-newer': 'the receipt is of a later format than this program knows',
  'receipt-invalid': 'the entry, salt, time and index of the receipt are not what the checkpoint covers',
} as const

/** A stable code of {@link LEDGER_ERRORS}. */
export type LedgerErrorCode = keyof typeof LEDGER_ERRORS

/** Details of a ledger error beside its code. */
export interface LedgerErrorDetail {
  readonly expected?: string
  readonly got?: string
  /** For a person: how to mend it. */
  readonly hint?: string
  /** For `ledger-busy` and `ledger-unavailable`: when to try again. */
  readonly retryAfterMs?: number
  readonly cause?: unknown
}

/** The ledger cannot do or will not believe what was asked; what to do about it follows from {@link code}. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError'
  readonly code: LedgerErrorCode
  readonly expected: string | undefined
  readonly got: string | undefined
  readonly hint: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(code: LedgerErrorCode, message: string, detail: LedgerErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.expected = detail.expected
    this.got = detail.got
    this.hint = detail.hint
    this.retryAfterMs = detail.retryAfterMs
  }
}
