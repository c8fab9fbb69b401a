// The enclave's calls. FORMAT.md says what goes in and out of each; a status is one of those there.
import { bytesAt, fail, Policy, random, seal, unseal } from 'casemate'
import { bookFrame, lastFrame, Outcome, piece, PIECE, PIECES_AT, replayPiece, result } from './book'
import { examineFrame, recordsLength } from './examine'
import { isLoaded, loadList } from './list'
import { RECORD } from './message'
import { PERCENT } from './screen'
import { setHashKey } from './siphash'
import { buildTree, LEAF_RECORD, root, saltOf, writeProof } from './tree'

const NOT_READY: u32 = 1
const NOT_OPENED: u32 = 2
/** The key of all hashes, then the seed of the log's signing key. */
const HASH_KEY_SIZE: i32 = 16
const KEYS_SIZE: i32 = 48
const KEYS_LABEL: u32 = 0x7379656b
const LIST_LABEL: u32 = 0x7473696c
const FRAME_HEAD = 12

let hasKeys: bool = false

/** The sealed keys, made where none are given. Gives the seed of the log's key, then the sealed keys. */
export function begin(sealed: Uint8Array): Uint8Array {
  let keys = random(KEYS_SIZE)
  if (sealed.byteLength > 0) {
    const opened = unseal(sealed)
    if (opened.status != 0 || !isLabelled(opened.additionalData, KEYS_LABEL)) return fail(NOT_OPENED)
    keys = opened.plaintext
  } else {
    const label = new Uint8Array(4)
    store<u32>(label.dataStart, KEYS_LABEL)
    sealed = seal(keys, Policy.mrEnclave, label)
  }
  setHashKey(keys.dataStart)
  hasKeys = true
  const seedSize = KEYS_SIZE - HASH_KEY_SIZE
  const bytes = new Uint8Array(seedSize + sealed.byteLength)
  memory.copy(bytes.dataStart, keys.dataStart + HASH_KEY_SIZE, seedSize)
  memory.copy(bytes.dataStart + seedSize, sealed.dataStart, sealed.byteLength)
  return bytes
}

/** The list, sealed by whoever is responsible for it: length of the parties' file, that file, the aliases. */
export function loadSanctions(sealed: Uint8Array): Uint8Array {
  if (isLoaded) return new Uint8Array(0)
  const opened = unseal(sealed)
  if (opened.status != 0 || !isLabelled(opened.additionalData, LIST_LABEL)) return fail(NOT_OPENED)
  loadList(opened.plaintext.dataStart, opened.plaintext.byteLength, PERCENT)
  return new Uint8Array(0)
}

function isLabelled(additionalData: Uint8Array, label: u32): bool {
  return additionalData.byteLength == 4 && load<u32>(additionalData.dataStart) == label
}

export function examine(pointer: usize, length: i32): u64 {
  if (!hasKeys || !isLoaded) return NOT_READY
  const records = examineFrame(pointer, length)
  return records == 0 ? Outcome.malformed : bytesAt(records, recordsLength)
}

/** Number of the frame, business day, 0, then examined records. */
export function book(input: Uint8Array): Uint8Array {
  const length = input.byteLength
  if (length < FRAME_HEAD || <u32>(length - FRAME_HEAD) % RECORD != 0) return fail(Outcome.malformed)
  const count = <u32>(length - FRAME_HEAD) / RECORD
  const at = input.dataStart
  const outcome = bookFrame(load<u32>(at), load<i32>(at, 4), at + FRAME_HEAD, count)
  return outcome == Outcome.ok ? result(count) : fail(outcome)
}

/** A sealed piece of the journal, in order; the root of its frame. */
export function replay(sealed: Uint8Array): Uint8Array {
  const opened = unseal(sealed)
  if (opened.status != 0 || opened.additionalData.byteLength != 8) return fail(NOT_OPENED)
  const outcome = replayPiece(opened.plaintext.dataStart, opened.plaintext.byteLength)
  if (outcome != Outcome.ok) return fail(outcome)
  const bytes = new Uint8Array(32)
  memory.copy(bytes.dataStart, root, 32)
  return bytes
}

/** A leaf's number, then the sealed piece it is in: frame, count, record, salt, proof. */
export function disclose(input: Uint8Array): Uint8Array {
  if (input.byteLength < 4) return fail(Outcome.malformed)
  const opened = unseal(input.subarray(4))
  if (opened.status != 0 || opened.plaintext.byteLength <= <i32>PIECES_AT) return fail(NOT_OPENED)
  const plain = opened.plaintext.dataStart
  const count = load<u32>(plain, 8)
  const leaf = load<u32>(input.dataStart)
  if (leaf >= count) return fail(Outcome.malformed)
  buildTree(plain + PIECES_AT, PIECE, count, plain + 12)
  const bytes = new Uint8Array(8 + <i32>LEAF_RECORD + 32 + 32 * 32)
  const out = bytes.dataStart
  store<u32>(out, load<u32>(plain))
  store<u32>(out, count, 4)
  memory.copy(out + 8, plain + PIECES_AT + leaf * PIECE, LEAF_RECORD)
  memory.copy(out + 72, saltOf(leaf), 32)
  return bytes.subarray(0, 104 + <i32>writeProof(leaf, count, out + 104))
}
