// A job: one input or a batch of a caller, on its way through an enclave.
import type { Request } from './lane/frames.ts'

export interface Job extends Request {
  /** None if a lane holds them. */
  inputs: readonly Uint8Array[]
  /** Whether they are nobody else's. */
  isOwn: boolean
  readonly count: number
  /** As far as there are any. */
  readonly outputs: Uint8Array<ArrayBuffer>[]
  readonly resolve: (outputs: readonly Uint8Array<ArrayBuffer>[]) => void
  readonly reject: (error: unknown) => void
}

/** Worth giving back at once: garbage collection is late for large buffers. */
const LARGE_BYTES = 65_536

/** A waiting input is copied: the caller may go on to use its own. */
export function keepInputs(job: Job): void {
  if (job.isOwn) return
  const whole = new Uint8Array(job.inputs.reduce((sum, input) => sum + input.length, 0))
  let end = 0
  job.inputs = job.inputs.map(input => {
    whole.set(input, end)
    end += input.length
    return whole.subarray(end - input.length, end)
  })
  job.isOwn = true
}

/** They are in a lane. */
export function dropInputs(job: Job): void {
  const buffer = job.isOwn ? job.inputs[0]?.buffer : undefined
  const isLarge = buffer instanceof ArrayBuffer && buffer.byteLength >= LARGE_BYTES
  if (isLarge) buffer.transfer(0)
  job.inputs = []
}

/** The same bytes in a buffer that the caller has no more, where they are all of it, one after the other; else null. */
export function takeInputs(inputs: readonly Uint8Array[]): Uint8Array[] | null {
  const buffer = inputs[0]?.buffer
  if (!(buffer instanceof ArrayBuffer)) return null
  let end = 0
  const isPacked = inputs.every(input => {
    const follows = input.buffer === buffer && input.byteOffset === end
    end += input.length
    return follows
  })
  if (!isPacked || end !== buffer.byteLength) return null
  const lengths = inputs.map(input => input.length)
  const taken = buffer.transfer()
  end = 0
  return lengths.map(length => {
    end += length
    return new Uint8Array(taken, end - length, length)
  })
}
