// Hashes of the Merkle tree, RFC 9162 section 2.1.1 (the same as RFC 6962): leaves and nodes have different prefixes,
// so that no node can be passed off as a leaf.
import { sha256 } from '#crypto'
import { concatBytes } from './bytes.ts'

export const LEAF_PREFIX = Uint8Array.of(0)
export const NODE_PREFIX = Uint8Array.of(1)

export async function hashLeaf(leaf: Uint8Array): Promise<Uint8Array> {
  return sha256(concatBytes(LEAF_PREFIX, leaf))
}

export async function hashNode(left: Uint8Array, right: Uint8Array): Promise<Uint8Array> {
  return sha256(concatBytes(NODE_PREFIX, left, right))
}

/** The root of a tree without leaves. */
export async function hashEmpty(): Promise<Uint8Array> {
  return sha256(new Uint8Array(0))
}
