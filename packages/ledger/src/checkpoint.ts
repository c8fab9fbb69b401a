// C2SP tlog-checkpoint: origin, size, root hash and extension lines, as the text of a signed note.
// The signature covers exactly the bytes that were parsed: a checkpoint is only handed out after its note was opened.
import { decodeBase64, encodeBase64, isCount } from './bytes.ts'
import { LedgerError } from './errors.ts'
import { HASH_SIZE } from './leaf.ts'
import { openNote, type VerifierKey } from './note.ts'
import type { TreeHead } from './proof.ts'

/** A tree head and the log that it is of. */
export interface Checkpoint extends TreeHead {
  /** Unique name of the log, such as `broker.example.org/log`. */
  readonly origin: string
  /** Further lines; signed, opaque here. */
  readonly extensions: readonly string[]
}

/** A checkpoint and the note that proves it. */
export interface SignedCheckpoint extends Checkpoint {
  readonly note: string
}

export interface OpenCheckpointOptions {
  readonly key: VerifierKey
  /** The origin that the checkpoint must name. */
  readonly origin: string
}

/** The text that gets signed. */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  return [origin, String(size), encodeBase64(root), ...extensions, ''].join('\n')
}

/** @throws {LedgerError} checkpoint-malformed */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n')
  const [origin, size, root, ...extensions] = lines
  if (origin === undefined || size === undefined || root === undefined) throw malformed('want three lines')
  if (extensions.pop() !== '') throw malformed('no newline at the end')
  if (origin === '') throw malformed('the origin is empty')
  if (!/^(0|[1-9][0-9]*)$/.test(size) || !isCount(Number(size)))
    throw malformed('the size is no decimal number')
  const hash = decodeBase64(root)
  if (hash?.length !== HASH_SIZE) throw malformed('the root is not 32 bytes of base64')
  if (extensions.includes('')) throw malformed('an extension line is empty')
  return { origin, size: Number(size), root: hash, extensions }
}

/**
 * Who signed comes first, what was said second.
 * @throws {LedgerError} note-malformed, checkpoint-untrusted, checkpoint-malformed, checkpoint-foreign
 */
export async function openCheckpoint(
  note: string,
  options: OpenCheckpointOptions,
): Promise<SignedCheckpoint> {
  const checkpoint = parseCheckpoint(await openNote(note, options.key))
  if (checkpoint.origin !== options.origin) {
    throw new LedgerError('checkpoint-foreign', `the checkpoint is of the log ${checkpoint.origin}`, {
      expected: options.origin,
      got: checkpoint.origin,
    })
  }
  return { ...checkpoint, note }
}

function malformed(message: string): LedgerError {
  return new LedgerError('checkpoint-malformed', `not a checkpoint: ${message}`)
}
