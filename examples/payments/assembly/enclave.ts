// The enclave's calls. FORMAT.md says what goes in and out of each; a status is one of those there.
import { bytesAt, fail, Policy, random, seal, unseal } from 'casemate'
import { bookFrame, lastFrame, Outcome, piece, PIECE, PIECES_AT, replayPiece, result } from './book'
import { examineFrame, recordsLength } from './examine'
import { isLoaded, loadList } from './list'
import { PERCENT } from './screen'
import { setHashKey } from './siphash'
import { buildTree, root, saltOf, writeProof } from './tree'
import {
  BEGUN_KEYS_AT,
  BOOK_DAY_AT,
  BOOK_RECORDS_AT,
  DISCLOSE_PIECE_AT,
  DISCLOSED_COUNT_AT,
  DISCLOSED_PROOF_AT,
  DISCLOSED_RECORD_AT,
  DISCLOSED_SALT_AT,
  EXAMINED,
  HASH,
  RECORD,
} from './wire'

const NOT_READY: u32 = 1
const NOT_OPENED: u32 = 2
/** The key of all hashes, then the seed of the log's signing key. */
const HASH_KEY_SIZE: i32 = 16
const KEYS_SIZE: i32 = HASH_KEY_SIZE + BEGUN_KEYS_AT
const KEYS_LABEL: u32 = 0x7379656b
const LIST_LABEL: u32 = 0x7473696c
/** No tree is higher than 32. */
const MAX_PROOF = 32 * HASH

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
  const bytes = new Uint8Array(BEGUN_KEYS_AT + sealed.byteLength)
  memory.copy(bytes.dataStart, keys.dataStart + HASH_KEY_SIZE, BEGUN_KEYS_AT)
  memory.copy(bytes.dataStart + BEGUN_KEYS_AT, sealed.dataStart, sealed.byteLength)
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

/** A frame of examined records. */
export function book(input: Uint8Array): Uint8Array {
  const size = input.byteLength - BOOK_RECORDS_AT
  if (size < 0 || size % EXAMINED != 0) return fail(Outcome.malformed)
  const count: u32 = size / EXAMINED
  const at = input.dataStart
  const outcome = bookFrame(load<u32>(at), load<i32>(at, BOOK_DAY_AT), at + BOOK_RECORDS_AT, count)
  return outcome == Outcome.ok ? result(count) : fail(outcome)
}

/** A sealed piece of the journal, in order; the root of its frame. */
export function replay(sealed: Uint8Array): Uint8Array {
  const opened = unseal(sealed)
  if (opened.status != 0 || opened.additionalData.byteLength != 8) return fail(NOT_OPENED)
  const outcome = replayPiece(opened.plaintext.dataStart, opened.plaintext.byteLength)
  if (outcome != Outcome.ok) return fail(outcome)
  const bytes = new Uint8Array(HASH)
  memory.copy(bytes.dataStart, root, HASH)
  return bytes
}

/** A leaf's number, then the sealed piece it is in: frame, count, record, salt, proof. */
export function disclose(input: Uint8Array): Uint8Array {
  if (input.byteLength < DISCLOSE_PIECE_AT) return fail(Outcome.malformed)
  const opened = unseal(input.subarray(DISCLOSE_PIECE_AT))
  if (opened.status != 0 || opened.plaintext.byteLength <= <i32>PIECES_AT) return fail(NOT_OPENED)
  const plain = opened.plaintext.dataStart
  const count = load<u32>(plain, 8)
  const leaf = load<u32>(input.dataStart)
  if (leaf >= count) return fail(Outcome.malformed)
  buildTree(plain + PIECES_AT, PIECE, count, plain + 12)
  const bytes = new Uint8Array(DISCLOSED_PROOF_AT + MAX_PROOF)
  const out = bytes.dataStart
  store<u32>(out, load<u32>(plain))
  store<u32>(out, count, DISCLOSED_COUNT_AT)
  memory.copy(out + DISCLOSED_RECORD_AT, plain + PIECES_AT + leaf * PIECE, RECORD)
  memory.copy(out + DISCLOSED_SALT_AT, saltOf(leaf), HASH)
  return bytes.subarray(0, DISCLOSED_PROOF_AT + <i32>writeProof(leaf, count, out + DISCLOSED_PROOF_AT))
}
