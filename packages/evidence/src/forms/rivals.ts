// Pieces of evidence that stand beside the one that was found: a verdict that is about one of several would be taken for
// one about all. What a wrapper has beside is opened like the wrapper itself, and so is what stands beside in there; what turns
// out to be no evidence, or the same signed piece once more, is nobody's rival. Bounded by one budget for all, beyond which nothing is believed.

import { equal } from '../bytes.ts'
import { kindOf, type ParsedEvidence } from '../kinds.ts'
import type { Beside } from '../members.ts'
import { Refusal } from '../refusal.ts'
import { quoteUntrusted } from '../untrusted-text.ts'
import { type Layer, MAX_RECOGNISED_BYTES } from './layer.ts'

/** Members that may hold evidence, in all layers; answers of real services have five. */
const MAX_OTHERS = 32

/** A layer, opened to the evidence in it; `opened` sees each, with its size. @throws {Refusal} where there is none */
export type OpenLayer = (layer: Layer, opened: (inner: Layer, size: number) => void) => ParsedEvidence

/**
 * Refuses a document with a second piece of evidence in it.
 * @throws {Refusal} `evidence-malformed`
 */
export function refuseRivals(found: ParsedEvidence, others: readonly Beside[], open: OpenLayer): void {
  const queue = others.flatMap(piecesOf)
  let left = MAX_RECOGNISED_BYTES
  const opened = (inner: Layer, size: number): void => {
    left -= size
    if (left < 0) throw tooMuch(BYTES)
    queue.push(...(inner.others ?? []).flatMap(piecesOf))
  }
  // It grows while it is gone through.
  for (const { name, value } of queue) {
    const rival = openOrNull(() => open({ is: 'json', value }, opened))
    // What is thrown in there is taken for no evidence.
    if (left < 0) throw tooMuch(BYTES)
    if (queue.length > MAX_OTHERS) throw tooMuch(`${MAX_OTHERS} members`)
    if (rival === null || isSame(found, rival)) continue
    const got = `${found.kind}, and ${rival.kind} in ${quoteUntrusted(name)}`
    throw new Refusal('evidence-malformed', `it holds several pieces of evidence: ${got}`, {
      expected: 'one piece of evidence',
      got,
      hint: 'cut one of them out, and give each in a file of its own',
    })
  }
}

function openOrNull<T>(open: () => T): T | null {
  try {
    return open()
  } catch (error) {
    if (error instanceof Refusal) return null
    throw error
  }
}

/** Each of a list, unless its numbers are the octets of one. */
function piecesOf({ name, value }: Beside): readonly Beside[] {
  const isList = Array.isArray(value) && typeof value[0] !== 'number'
  return isList ? value.map((piece: unknown) => ({ name, value: piece })) : [{ name, value }]
}

function isSame(one: ParsedEvidence, other: ParsedEvidence): boolean {
  const [a, b] = [kindOf(one).signedBytes(one), kindOf(other).signedBytes(other)]
  return a !== null && b !== null && equal(a, b)
}

const BYTES = `${MAX_RECOGNISED_BYTES} bytes, packed ones as they are unpacked`

function tooMuch(limit: string): Refusal {
  return new Refusal('evidence-malformed', 'more stands beside the evidence than can be looked through', {
    expected: `at most ${limit}`,
    hint: 'cut the evidence out, and give it in a file of its own',
  })
}
