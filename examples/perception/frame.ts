// The frames that a camera sends and the answers that it gets, byte by byte as assembly/frames.ts describes them.
import { type SealingIdentity, type SealingRoot, seal } from '@casemate/enclave'

export const WIDTH = 512
export const HEIGHT = 288
/** RGB, rows from the top, no padding; in bytes. */
export const FRAME_SIZE = WIDTH * HEIGHT * 3
export const STREAM_ID_SIZE = 16
export const ANSWER_SIZE = 52

const HEADER_SIZE = 40
const HEADER_MAGIC = new TextEncoder().encode('CMFRAME1')
const RGB8 = 1
const LINE_SIZE = 16

/** Statuses of a frame, by their number in an answer. */
export const FRAME_STATUSES = [
  'looked-at',
  'not-opened',
  'wrong-header',
  'wrong-size',
  'unknown-stream',
  'replayed',
] as const
export type FrameStatus = (typeof FRAME_STATUSES)[number]

/** Statuses with which calls fail (`call-failed`). */
export const CALL_STATUSES = { notCalibrated: 1, calibrationNotOpened: 2, calibrationRefused: 3 } as const

export interface LaneLine {
  /** Where the line crosses the row of the horizon and the bottom row, in 1/16 pixel. */
  readonly atHorizon: number
  readonly atBottom: number
  /** Of the marks from the line on average, in 1/16 pixel. */
  readonly deviation: number
  /** How many rows have a mark on the line, and how many there are from the first to the last. */
  readonly rows: number
  readonly span: number
  readonly colour: 'white' | 'yellow'
}

export interface Lanes {
  readonly left: LaneLine | null
  readonly right: LaneLine | null
}

export interface Answer extends Lanes {
  readonly status: FrameStatus
  /** 0 if the frame did not say one that can be believed. */
  readonly sequence: bigint
  /** Frames that are missing between the one before and this one. */
  readonly missed: number
}

/** Who takes pictures, for whom. */
export interface CameraKeys {
  readonly root: SealingRoot
  readonly identity: SealingIdentity
}

export interface FrameHeader {
  readonly streamId: Uint8Array
  readonly sequence: bigint
  readonly width?: number
  readonly height?: number
}

/** The additional data of a frame. */
export function encodeFrameHeader(header: FrameHeader): Uint8Array<ArrayBuffer> {
  const { streamId, sequence, width = WIDTH, height = HEIGHT } = header
  const bytes = new Uint8Array(HEADER_SIZE)
  const view = new DataView(bytes.buffer)
  bytes.set(HEADER_MAGIC)
  view.setUint16(8, width, true)
  view.setUint16(10, height, true)
  view.setUint32(12, RGB8, true)
  bytes.set(streamId, 16)
  view.setBigUint64(32, sequence, true)
  return bytes
}

/** A picture for this very code and nobody else, under a key that is used once. */
export function sealFrame(pixels: Uint8Array, header: FrameHeader, keys: CameraKeys): Uint8Array {
  return seal(pixels, { ...keys, policy: 'mrEnclave', additionalData: encodeFrameHeader(header) })
}

/** Reads the answer of `detect`. */
export function parseAnswer(bytes: Uint8Array): Answer {
  if (bytes.length !== ANSWER_SIZE) throw new RangeError(`an answer has ${bytes.length} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, ANSWER_SIZE)
  const status = FRAME_STATUSES[view.getUint32(8, true)]
  if (status === undefined) throw new RangeError(`a frame's status is ${view.getUint32(8, true)}`)
  const flags = view.getUint32(16, true)
  const line = (at: number, found: number, yellow: number): LaneLine | null => {
    if ((flags & found) === 0) return null
    return {
      atHorizon: view.getInt32(at, true),
      atBottom: view.getInt32(at + 4, true),
      deviation: view.getUint16(at + 8, true),
      rows: view.getUint16(at + 10, true),
      span: view.getUint16(at + 12, true),
      colour: (flags & yellow) === 0 ? 'white' : 'yellow',
    }
  }
  return {
    status,
    sequence: view.getBigUint64(0, true),
    missed: view.getUint32(12, true),
    left: line(20, 1, 4),
    right: line(20 + LINE_SIZE, 2, 8),
  }
}
