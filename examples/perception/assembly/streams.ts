// The streams of frames that cameras have opened. A stream's id is the enclave's own random number, so frames of another
// run are of no stream; within one, each sequence number is taken once and only forwards.
import { random } from 'casemate'

export const STREAM_ID_SIZE: i32 = 16
/** A camera more than this ends the stream that was silent for longest. */
const MAX_STREAMS: i32 = 16

/** id 16, next sequence number 8, when it was last used 8 */
const STREAM_SIZE: i32 = 32
const STREAMS: usize = memory.data(MAX_STREAMS * STREAM_SIZE, 16)

let uses: u64 = 0
let streamCount: i32 = 0

export function openStream(): Uint8Array {
  const id = random(STREAM_ID_SIZE)
  const stream = freeStream()
  memory.copy(stream, id.dataStart, STREAM_ID_SIZE)
  store<u64>(stream, 0, 16)
  store<u64>(stream, ++uses, 24)
  return id
}

/** The stream of that id; 0 if there is none. */
export function findStream(id: usize): usize {
  for (let index = 0; index < streamCount; index++) {
    const stream = STREAMS + <usize>(index * STREAM_SIZE)
    if (load<u64>(stream) == load<u64>(id) && load<u64>(stream, 8) == load<u64>(id, 8)) return stream
  }
  return 0
}

/** The sequence number that a stream goes on with. */
export function nextOf(stream: usize): u64 {
  return load<u64>(stream, 16)
}

/** From here on this sequence number and all before it are of the past. */
export function advance(stream: usize, sequence: u64): void {
  store<u64>(stream, sequence + 1, 16)
  store<u64>(stream, ++uses, 24)
}

function freeStream(): usize {
  if (streamCount < MAX_STREAMS) return STREAMS + <usize>(streamCount++ * STREAM_SIZE)
  let oldest = STREAMS
  for (let index = 1; index < MAX_STREAMS; index++) {
    const stream = STREAMS + <usize>(index * STREAM_SIZE)
    if (load<u64>(stream, 24) < load<u64>(oldest, 24)) oldest = stream
  }
  return oldest
}
