// The tree's hashes for whole batches: synchronous, into buffers that exist already. OpenSSL's digest as a Latin-1
// string costs a third of one as a Buffer, for which Node would allocate every time.
import { hash } from 'node:crypto'
import { COMMITMENT_DOMAIN, HASH_SIZE, LEAF_SIZE, SALT_SIZE } from '../leaf.ts'

/** Longest canonical entry, in bytes: an entry names what was decided, evidence is kept elsewhere. */
export const MAX_ENTRY_BYTES = 65_536

const leafInput = Buffer.alloc(1 + LEAF_SIZE, 0x00)
const nodeInput = Buffer.alloc(1 + 2 * HASH_SIZE, 0x01)
const [LEFT, RIGHT] = [1, 1 + HASH_SIZE]

const COMMITMENT_HEAD = Buffer.concat([
  Buffer.from(COMMITMENT_DOMAIN),
  Buffer.of(0, 0, 0, SALT_SIZE),
  Buffer.alloc(SALT_SIZE + 4),
])
const CONTENT = COMMITMENT_HEAD.length
const commitmentInput = Buffer.concat([COMMITMENT_HEAD, Buffer.alloc(MAX_ENTRY_BYTES)])

function digestInto(target: Buffer, offset: number, input: Buffer): void {
  target.write(hash('sha256', input, 'latin1'), offset, HASH_SIZE, 'latin1')
}

/** Hash of the leaf at `leaves[at]`, RFC 9162 section 2.1.1. */
export function hashLeafInto(target: Buffer, offset: number, leaves: Uint8Array, at: number): void {
  leafInput.set(leaves.subarray(at, at + LEAF_SIZE), 1)
  digestInto(target, offset, leafInput)
}

/** Hash of the node over two hashes; `target` may be where one of them stands. */
export function hashNodeInto(target: Buffer, offset: number, left: Uint8Array, right: Uint8Array): void {
  nodeInput.set(left, LEFT)
  nodeInput.set(right, RIGHT)
  digestInto(target, offset, nodeInput)
}

/** The commitment of src/leaf.ts; `content` is canonical JSON of at most {@link MAX_ENTRY_BYTES}. */
export function commitInto(target: Buffer, offset: number, salt: Uint8Array, content: string): void {
  commitmentInput.set(salt, CONTENT - 4 - SALT_SIZE)
  const length = commitmentInput.write(content, CONTENT, 'utf8')
  commitmentInput.writeUInt32BE(length, CONTENT - 4)
  digestInto(target, offset, commitmentInput.subarray(0, CONTENT + length))
}

/** Root over `count` hashes, a power of two, from `first` on. */
export function rootOf(hashes: Uint8Array, first: number, count: number): Uint8Array {
  const level = Buffer.from(hashes.subarray(first * HASH_SIZE, (first + count) * HASH_SIZE))
  const at = (index: number) => level.subarray(index * HASH_SIZE, (index + 1) * HASH_SIZE)
  for (let width = count; width > 1; width /= 2) {
    for (let pair = 0; pair < width / 2; pair++) {
      hashNodeInto(level, pair * HASH_SIZE, at(2 * pair), at(2 * pair + 1))
    }
  }
  return new Uint8Array(level.subarray(0, HASH_SIZE))
}

export function nodeOf(left: Uint8Array, right: Uint8Array): Uint8Array {
  const node = Buffer.alloc(HASH_SIZE)
  hashNodeInto(node, 0, left, right)
  return new Uint8Array(node)
}

export function emptyRoot(): Uint8Array {
  return new Uint8Array(hash('sha256', '', 'buffer'))
}
