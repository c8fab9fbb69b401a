// Frames in the rings, in words of 32 bits.
// A request: number of the job, bytes of all of it (0 if it comes in parts), function, number of inputs; then for each
// input its length and its bytes. A reply: kind and value, then as many bytes as the value says if it is a length.
import { MAX_JOBS, WORD } from './memory.ts'
import { padded } from './ring.ts'

/** The call of one caller: all of its inputs are answered, or none. */
export interface Request {
  /** Index among the manifest's exports. */
  readonly call: number
  readonly inputs: readonly Uint8Array[]
}

export const REQUEST_HEAD = 16
export const INPUT_HEAD = 4
export const REPLY_HEAD = 8

export const REPLY = { output: 1, refused: 2, log: 3 } as const

/** Of one line, in bytes. */
export const MAX_LOG_BYTES = 4096

/** Numbers of jobs begin again after this one. */
const LAST_NUMBER = 0x1fff_ffff

export const numberAfter = (number: number): number => (number === LAST_NUMBER ? 0 : number + 1)

/** Bytes of all of a request. */
export function sizeOf(inputs: readonly Uint8Array[]): number {
  let size = REQUEST_HEAD
  for (const input of inputs) size += INPUT_HEAD + padded(input.length)
  return size
}

/** The word in which a job is claimed. Its values carry the job's number, so that two jobs are never confused. */
export const claimOf = (number: number): number => WORD.claims + (number % MAX_JOBS)
export const openClaim = (number: number): number => (number * 4) | 0
export const claimed = (number: number): number => (number * 4 + 1) | 0
export const withdrawn = (number: number): number => (number * 4 + 2) | 0
