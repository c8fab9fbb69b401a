// The log's mark: size and root of its last state in a small file beside the database, so that a database that has lost
// its end, or was replaced by an older or another one, is known by it. It guards against loss, not against whoever can
// write the directory. Each process that writes the log has two copies of its own in the file, which it writes in turn, each with
// its digest: a write that is torn ends only one of them. The newest of all copies counts.
import { hash } from 'node:crypto'
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { decodeBase64, encodeBase64, isCount } from '../bytes.ts'
import { LedgerError } from '../errors.ts'
import { HASH_SIZE } from '../leaf.ts'
import type { TreeHead } from '../proof.ts'
import { openExisting } from './existing-file.ts'
import { emptyRoot } from './hasher.ts'

const FORMAT = 'casemate-ledger-mark/1'
/** A page of the disk each, so that two are never in one write. */
const COPY_BYTES = 4096
/** One process and the 64 that it starts at most: so many copies are looked at, however long the file is. */
const MAX_WRITERS = 65
const OWNER_ONLY = 0o600

/** A state that a log has reached. */
export interface Mark extends TreeHead {
  /** Of the log: its origin and key. */
  readonly verifierKey: string
}

/** The state before the first one: of a log that has no name yet. */
const BLANK: Mark = { verifierKey: '', size: 0, root: emptyRoot() }

/** `damaged`: there is a file, and no copy in it is whole. */
export type MarkState = 'missing' | 'damaged' | 'kept'

/** The mark of one log, open for as long as the log is; one for each process that writes the log. */
export class MarkFile {
  readonly path: string
  readonly state: MarkState
  readonly #writer: number
  #kept: Mark | null
  /** Null until a whole file is there. */
  #file: number | null = null
  /** The newest that is in that file, as far as this writer knows. */
  #inFile: Mark | null = null
  #nextCopy = 0
  #isClosed = false

  /**
   * Reads what is there; nothing is made before the first write.
   * @param writer its number, which no other process that is open on the file has
   * @throws {LedgerError} mark-damaged
   */
  constructor(path: string, writer = 0) {
    if (!isCount(writer) || writer >= MAX_WRITERS) {
      throw new RangeError(`writer ${writer} of the mark, want less than ${MAX_WRITERS}`)
    }
    this.path = path
    this.#writer = writer
    const file = openMark(path)
    if (file !== null) this.#open(file, readCopies(file))
    this.#kept = this.#inFile
    this.state = file === null ? 'missing' : this.#kept === null ? 'damaged' : 'kept'
  }

  /** The last that was written, or found of other writers. */
  get kept(): Mark | null {
    return this.#kept
  }

  /** Whether it says no more than that a log was about to begin. */
  get isBlank(): boolean {
    return this.#kept?.verifierKey === BLANK.verifierKey
  }

  /**
   * Says, where there is no mark, that a log is about to begin: to be done before anything by which a lost one is missed,
   * so that a first start that is cut off is not taken for a loss.
   * @throws {LedgerError} ledger-failed, ledger-unavailable
   */
  begin(): void {
    if (this.state === 'missing' && this.#kept === null) this.write(BLANK, true)
  }

  /**
   * Remembers a state, in the system's memory or, if `isDurable`, on the disk when it returns. One that is not beyond what is
   * kept of the same log changes nothing: that the end was lost stays known until the log has grown over it.
   * @throws {LedgerError} ledger-failed, ledger-unavailable
   */
  write(mark: Mark, isDurable: boolean): void {
    try {
      if (this.#isClosed) throw new TypeError('the mark is closed')
      const kept = this.#kept?.verifierKey === mark.verifierKey ? this.#kept : null
      const newest = newestOf([kept, mark]) ?? mark
      const found = this.#found(mark.verifierKey)
      if (found === null) return this.#replace(newest)
      if (newest.size > found.size) this.#writeNext(newest)
      this.#kept = this.#inFile
      if (isDurable && this.#file !== null) fdatasyncSync(this.#file)
    } catch (error) {
      throw markFailure(this.path, error)
    }
  }

  close(): void {
    this.#isClosed = true
    this.#closeFile()
  }

  /** What the file of that name has of this log. One that another process has put there is used from then on, not replaced in turn. */
  #found(verifierKey: string): Mark | null {
    if (this.#isInPlace()) return this.#inFile?.verifierKey === verifierKey ? this.#inFile : null
    const file = openReplaced(this.path)
    if (file === null) return null
    const copies = readCopies(file).map(copy => (copy?.verifierKey === verifierKey ? copy : null))
    if (newestOf(copies) !== null) this.#open(file, copies)
    else closeSync(file)
    return this.#file === file ? this.#inFile : null
  }

  /** Whether the open file is still the one of that name. */
  #isInPlace(): boolean {
    if (this.#file === null) return false
    const [open, found] = [fstatSync(this.#file), statSync(this.path, { throwIfNoEntry: false })]
    return found?.ino === open.ino && found.dev === open.dev
  }

  /** Of its own two copies the older one is written next, so that a write that is torn leaves the newer one. */
  #open(file: number, copies: readonly (Mark | null)[]): void {
    this.#closeFile()
    this.#file = file
    this.#inFile = newestOf(copies)
    const own = 2 * this.#writer
    const [first = null, second = null] = copies.slice(own, own + 2)
    this.#nextCopy = first !== null && newestOf([first, second]) === first ? own + 1 : own
  }

  #closeFile(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }

  #writeNext(mark: Mark): void {
    if (this.#file === null) throw new TypeError('the mark is not open')
    writeWhole(this.#file, encode(mark), this.#nextCopy * COPY_BYTES)
    // The other one of its two.
    this.#nextCopy ^= 1
    this.#inFile = mark
  }

  /** A new file in the place of what is there, or not there any more; what another process remembers it adds with its next write. */
  #replace(mark: Mark): void {
    const temporary = this.#writer === 0 ? `${this.path}.new` : `${this.path}.new-${this.#writer}`
    rmSync(temporary, { force: true })
    const file = openSync(temporary, 'wx+', OWNER_ONLY)
    try {
      const copies = Array.from({ length: 2 * this.#writer + 2 }, () => mark)
      writeWhole(file, Buffer.concat(copies.map(encode)), 0)
      fsyncSync(file)
      renameSync(temporary, this.path)
      syncDirectory(this.path)
      this.#open(file, copies)
      this.#kept = mark
    } catch (error) {
      closeSync(file)
      throw error
    }
  }
}

function newestOf(copies: readonly (Mark | null)[]): Mark | null {
  let newest: Mark | null = null
  for (const copy of copies) if (copy !== null && copy.size > (newest?.size ?? -1)) newest = copy
  return newest
}

/** What another process may have put there; anything but a file that can be opened is nothing to go on with. */
function openReplaced(path: string): number | null {
  try {
    return openMark(path)
  } catch {
    return null
  }
}

function openMark(path: string): number | null {
  try {
    return openExisting(path, constants.O_RDWR | (constants.O_NOFOLLOW ?? 0))
  } catch (error) {
    throw new LedgerError('mark-damaged', `${path} cannot be opened`, {
      hint: 'it is a file that the user of this process may read and write',
      cause: error,
    })
  }
}

/** As text, so that a person can read it: format, log, size, root, and the digest of these lines. */
function encode({ verifierKey, size, root }: Mark): Buffer {
  const lines = `${FORMAT}\n${verifierKey}\n${size}\n${encodeBase64(root)}\n`
  const copy = Buffer.alloc(COPY_BYTES, '\n')
  copy.write(`${lines}${hash('sha256', lines, 'base64')}\n`)
  return copy
}

/** Each in its place; null where it is not whole. */
function readCopies(file: number): readonly (Mark | null)[] {
  const count = Math.min(Math.ceil(fstatSync(file).size / COPY_BYTES), 2 * MAX_WRITERS)
  return Array.from({ length: count }, (_, copy) => readCopy(file, copy))
}

function readCopy(file: number, copy: number): Mark | null {
  const bytes = Buffer.alloc(COPY_BYTES)
  readSync(file, bytes, 0, COPY_BYTES, copy * COPY_BYTES)
  const [format, verifierKey = '', size = '', root = ''] = bytes.toString('latin1').split('\n')
  const decoded = decodeBase64(root)
  if (format !== FORMAT || decoded?.length !== HASH_SIZE || !isCount(Number(size))) return null
  const mark = { verifierKey, size: Number(size), root: decoded }
  return encode(mark).equals(bytes) ? mark : null
}

/** The system may take a part of a write only. */
function writeWhole(file: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file, bytes, done, bytes.length - done, position + done)
  }
}

function syncDirectory(path: string): void {
  // Windows opens no directories, and keeps names without being asked.
  if (process.platform === 'win32') return
  const directory = openSync(dirname(path), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

function markFailure(path: string, cause: unknown): LedgerError {
  const isDisk = cause instanceof Error && 'code' in cause && cause.code === 'EIO'
  // As for the database: after a failed sync nobody knows what is on the disk.
  return new LedgerError(isDisk ? 'ledger-failed' : 'ledger-unavailable', `${path} cannot be written`, {
    hint: isDisk
      ? 'look at the disk, then start again: the log will check itself'
      : 'look for a full disk, or for the rights of that file',
    cause,
  })
}
