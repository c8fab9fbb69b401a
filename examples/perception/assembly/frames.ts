// A frame: sealed by the camera for this enclave, with additional data that says which picture of which stream it is.
//   0  8  "CMFRAME1"      8  2  width      10  2  height      12  4  pixel format, 1 for RGB of 8 bits
//  16 16  id of the stream      32  8  sequence number, from 0
// Its answer, 52 bytes: sequence number 8, status 4, how many frames are missing before it 4, the lanes 36.
// Nothing of a frame is believed before it was opened, and so proved to come from who has the key.
import { unseal } from 'casemate'
import { FRAME_SIZE, HEIGHT, WIDTH } from './layout'
import { findLanes, LANES_SIZE } from './lanes'
import { advance, findStream, nextOf } from './streams'

export const ANSWER_SIZE: i32 = 16 + LANES_SIZE

const HEADER_SIZE: i32 = 40
const MAGIC: u64 = 0x31454d4152464d43
const RGB8: u32 = 1

/** Of an answer; the camera's side has the same table. */
const LOOKED_AT: u32 = 0
const NOT_OPENED: u32 = 1
const WRONG_HEADER: u32 = 2
const WRONG_SIZE: u32 = 3
const UNKNOWN_STREAM: u32 = 4
const REPLAYED: u32 = 5

/** Opens a frame, looks at it, and writes its answer. */
export function answerFrame(sealed: Uint8Array, out: usize): void {
  memory.fill(out, 0, ANSWER_SIZE)
  const opened = unseal(sealed)
  if (opened.status != 0) {
    store<u32>(out, NOT_OPENED, 8)
    return
  }
  const header = opened.additionalData.dataStart
  const status = check(header, opened.additionalData.length, opened.plaintext.length)
  store<u32>(out, status, 8)
  if (status == WRONG_HEADER) return
  const sequence = load<u64>(header, 32)
  store<u64>(out, sequence)
  if (status != LOOKED_AT) return
  const stream = findStream(header + 16)
  store<u32>(out, <u32>min<u64>(sequence - nextOf(stream), u32.MAX_VALUE), 12)
  advance(stream, sequence)
  findLanes(opened.plaintext.dataStart, out + 16)
}

function check(header: usize, headerSize: i32, pixelsSize: i32): u32 {
  if (headerSize != HEADER_SIZE || load<u64>(header) != MAGIC || load<u32>(header, 12) != RGB8)
    return WRONG_HEADER
  const isSize = load<u16>(header, 8) == WIDTH && load<u16>(header, 10) == HEIGHT
  if (!isSize || pixelsSize != FRAME_SIZE) return WRONG_SIZE
  const stream = findStream(header + 16)
  if (stream == 0) return UNKNOWN_STREAM
  return load<u64>(header, 32) < nextOf(stream) ? REPLAYED : LOOKED_AT
}
