// Checking inclusion and consistency proofs: RFC 9162 sections 2.1.3.2 and 2.1.4.2, step by step.
// Sizes go beyond 32 bits, so positions are halved by division and never by bit operators.
import { encodeHex, equalBytes, isCount } from './bytes.ts'
import { LedgerError } from './errors.ts'
import { hashEmpty, hashNode } from './hashing.ts'
import { HASH_SIZE } from './leaf.ts'

/** A tree's size in leaves and the hash that stands for all of them. */
export interface TreeHead {
  readonly size: number
  readonly root: Uint8Array
}

export interface InclusionProof {
  readonly index: number
  readonly leafHash: Uint8Array
  readonly proof: readonly Uint8Array[]
}

export interface ConsistencyProof {
  readonly from: TreeHead
  readonly to: TreeHead
  readonly proof: readonly Uint8Array[]
}

const half = (value: number): number => Math.floor(value / 2)
const isOdd = (value: number): boolean => value % 2 === 1

/** @throws {LedgerError} proof-invalid */
export async function verifyInclusion(claim: InclusionProof, head: TreeHead): Promise<void> {
  const { index, leafHash, proof } = claim
  if (!isCount(index) || !isCount(head.size) || index >= head.size) {
    throw invalid(`index ${index} is not in a tree of ${head.size} leaves`)
  }
  if (!areHashes([leafHash, head.root, ...proof])) throw invalid('a hash is not 32 bytes')
  let position = index
  let last = head.size - 1
  let hash = leafHash
  for (const sibling of proof) {
    if (last === 0) throw invalid('the proof is too long')
    if (isOdd(position) || position === last) {
      hash = await hashNode(sibling, hash)
      while (!isOdd(position) && position !== 0) {
        position = half(position)
        last = half(last)
      }
    } else {
      hash = await hashNode(hash, sibling)
    }
    position = half(position)
    last = half(last)
  }
  if (last !== 0) throw invalid('the proof is too short')
  if (!equalBytes(hash, head.root)) throw mismatch('proof-invalid', 'the proof', head.root, hash)
}

/** Proves that the tree `to` begins with all leaves of the tree `from`. @throws {LedgerError} checkpoint-inconsistent */
export async function verifyConsistency(claim: ConsistencyProof): Promise<void> {
  const { from, to, proof } = claim
  if (!isCount(from.size) || !isCount(to.size) || from.size > to.size) {
    throw inconsistent(`a log of ${to.size} entries cannot extend one of ${from.size}`)
  }
  if (!areHashes([from.root, to.root, ...proof])) throw inconsistent('a hash is not 32 bytes')
  if (from.size === to.size) {
    if (proof.length > 0) throw inconsistent('a proof between equal sizes must be empty')
    if (!equalBytes(from.root, to.root)) throw mismatch('checkpoint-inconsistent', 'size', from.root, to.root)
    return
  }
  if (from.size === 0) {
    if (proof.length > 0) throw inconsistent('a proof from the empty tree must be empty')
    const empty = await hashEmpty()
    if (!equalBytes(from.root, empty)) throw mismatch('checkpoint-inconsistent', 'size 0', empty, from.root)
    return
  }
  await walkConsistency(claim)
}

async function walkConsistency({ from, to, proof }: ConsistencyProof): Promise<void> {
  let position = from.size - 1
  let last = to.size - 1
  while (isOdd(position)) {
    position = half(position)
    last = half(last)
  }
  // A complete subtree is not repeated in the proof: the old root is its first hash (section 2.1.4.2, step 2).
  const path = position === 0 ? [from.root, ...proof] : proof
  const [first, ...rest] = path
  if (first === undefined) throw inconsistent('the proof is empty')
  let oldRoot = first
  let newRoot = first
  for (const hash of rest) {
    if (last === 0) throw inconsistent('the proof is too long')
    if (isOdd(position) || position === last) {
      oldRoot = await hashNode(hash, oldRoot)
      newRoot = await hashNode(hash, newRoot)
      while (!isOdd(position) && position !== 0) {
        position = half(position)
        last = half(last)
      }
    } else {
      newRoot = await hashNode(newRoot, hash)
    }
    position = half(position)
    last = half(last)
  }
  if (last !== 0) throw inconsistent('the proof is too short')
  if (!equalBytes(oldRoot, from.root))
    throw mismatch('checkpoint-inconsistent', 'old root', from.root, oldRoot)
  if (!equalBytes(newRoot, to.root)) throw mismatch('checkpoint-inconsistent', 'new root', to.root, newRoot)
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every(hash => hash.length === HASH_SIZE)
}

function invalid(message: string): LedgerError {
  return new LedgerError('proof-invalid', message)
}

function inconsistent(message: string): LedgerError {
  return new LedgerError('checkpoint-inconsistent', message, { hint: FORK_HINT })
}

const FORK_HINT =
  'keep both checkpoints: two that contradict each other, both signed, prove that the log was rewritten'

function mismatch(
  code: 'proof-invalid' | 'checkpoint-inconsistent',
  what: string,
  wanted: Uint8Array,
  found: Uint8Array,
): LedgerError {
  const [expected, got] = [encodeHex(wanted), encodeHex(found)]
  const hint = code === 'checkpoint-inconsistent' ? { hint: FORK_HINT } : {}
  return new LedgerError(code, `${what} leads to root ${got}, want ${expected}`, { expected, got, ...hint })
}
