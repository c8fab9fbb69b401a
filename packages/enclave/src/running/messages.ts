// What goes between the platform's thread and that of an instance. Buffers are transferred, never cloned.
import type { EnclaveErrorCode } from '../errors.ts'
import type { UnsealOptions } from '../sealing/opening.ts'

/** Byte strings, one after the other, with the length of each. */
export interface PackedBytes {
  readonly bytes: ArrayBuffer
  readonly lengths: Uint32Array<ArrayBuffer>
}

/** What an instance is started with. */
export interface InstanceData {
  readonly module: WebAssembly.Module
  readonly exports: readonly string[]
  readonly imports: readonly string[]
  readonly configuration: Readonly<Record<string, string>>
  /** Those that the manifest declares. */
  readonly secrets: ReadonlyMap<string, Uint8Array>
  /** Only for code that declares that it seals. */
  readonly sealing: UnsealOptions | null
}

export interface CallMessage {
  readonly name: string
  readonly inputs: PackedBytes
}

export type InstanceMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'log'; readonly text: string }
  | { readonly type: 'answered'; readonly outputs: PackedBytes }
  /** The function itself said no; the instance is as good as before. */
  | { readonly type: 'refused'; readonly index: number; readonly status: number }
  /** The instance is not to be used any more. */
  | { readonly type: 'fault'; readonly code: EnclaveErrorCode; readonly message: string }

export function packBytes(items: readonly Uint8Array[]): PackedBytes {
  const lengths = Uint32Array.from(items, item => item.length)
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0))
  let offset = 0
  for (const item of items) {
    bytes.set(item, offset)
    offset += item.length
  }
  return { bytes: bytes.buffer, lengths }
}

/** The buffer of items that are all of it, one after the other: they are empty afterwards. Null where they are not. */
export function takePacked(items: readonly Uint8Array[]): PackedBytes | null {
  const buffer = items[0]?.buffer
  if (!(buffer instanceof ArrayBuffer)) return null
  let end = 0
  const isPacked = items.every(item => {
    const follows = item.buffer === buffer && item.byteOffset === end
    end += item.length
    return follows
  })
  if (!isPacked || end !== buffer.byteLength) return null
  const lengths = Uint32Array.from(items, item => item.length)
  return { bytes: buffer.transfer(), lengths }
}

/** Views, not copies. */
export function unpackBytes({ bytes, lengths }: PackedBytes): Uint8Array<ArrayBuffer>[] {
  let offset = 0
  return Array.from(lengths, length => {
    const item = new Uint8Array(bytes, offset, length)
    offset += length
    return item
  })
}
