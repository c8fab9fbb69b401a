// Load: messages made beforehand, sent in frames over one attested channel, as many at once as keep the server busy. Every
// round gives all payments new ids, in place, so that none is a repeated one.

import type { EnclaveClient } from '@casemate/channel'
import { quantile } from '../../stage/figures.ts'
import { type Decision, decodeAnswers, encodeFrame } from '../frames.ts'
import type { SanctionsFiles } from '../owner.ts'
import { listedNames } from '../test/generate/inputs.ts'
import { message, payment } from '../test/generate/messages.ts'
import { PERTURBATIONS } from '../test/generate/perturb.ts'
import { DIGITS, Random } from '../test/generate/random.ts'

/** Stands in every id where the number of the round comes. */
const ROUND = 'R000'
/** Of payments with a listed party, as somebody writes it. */
const LISTED_SHARE = 0.01

export interface LoadOptions {
  readonly date: string
  readonly payments: number
  readonly perFrame: number
  readonly files: SanctionsFiles
}

export interface Load {
  readonly frames: readonly Buffer[]
  readonly payments: number
  /** Of all messages together. */
  readonly bytes: number
  /** By frame, where the rounds' numbers stand. */
  readonly marks: readonly (readonly number[])[]
}

export interface Round {
  readonly perSecond: number
  readonly decisions: Readonly<Record<Decision, number>>
  /** Of one frame, from sending to the answer, in milliseconds. */
  readonly p50: number
  readonly p99: number
}

export function makeLoad({ date, payments, perFrame, files }: LoadOptions): Load {
  const random = new Random(7)
  const run = random.text(6, DIGITS)
  const listed = listedNames(files)
  const perturbations = Object.values(PERTURBATIONS)
  const texts = Array.from({ length: payments }, (_, index) => {
    let item = payment(random)
    if (random.chance(LISTED_SHARE)) {
      const { name } = random.pick(listed)
      item = { ...item, creditor: (random.pick(perturbations)(name, random) ?? name).slice(0, 140) }
    }
    return Buffer.from(message(random, { date, messageId: `M${run}-${ROUND}-${index}`, payments: [item] }))
  })
  const frames: Buffer[] = []
  for (let at = 0; at < texts.length; at += perFrame) frames.push(encodeFrame(texts.slice(at, at + perFrame)))
  return {
    frames,
    payments,
    bytes: texts.reduce((sum, { length }) => sum + length, 0),
    marks: frames.map(marksOf),
  }
}

function marksOf(frame: Buffer): number[] {
  const marks: number[] = []
  for (let at = frame.indexOf(ROUND); at >= 0; at = frame.indexOf(ROUND, at + 1)) marks.push(at)
  return marks
}

/** Beforehand: it takes as long as some of the work. */
export function nameRound({ frames, marks }: Load, round: number): void {
  const name = `R${String(round).padStart(3, '0')}`
  for (const [index, frame] of frames.entries())
    for (const at of marks[index] ?? []) frame.write(name, at, 'latin1')
}

/** Sends all frames, `inFlight` at a time. Every answer was on the server's disk before it came. */
export async function runRound(
  client: EnclaveClient,
  { frames, payments }: Load,
  inFlight: number,
): Promise<Round> {
  const times: number[] = []
  const answers: Uint8Array[] = []
  let next = 0
  const send = async (): Promise<void> => {
    for (let frame = frames[next++]; frame !== undefined; frame = frames[next++]) {
      const sent = performance.now()
      answers.push(await client.call('decide', frame))
      times.push(performance.now() - sent)
    }
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: inFlight }, send))
  const seconds = (performance.now() - start) / 1000
  times.sort((a, b) => a - b)
  return {
    perSecond: payments / seconds,
    decisions: countDecisions(answers, payments),
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
  }
}

/** Also that every payment was decided, and decided now. */
function countDecisions(answers: readonly Uint8Array[], payments: number): Record<Decision, number> {
  const counts = { ACCEPT: 0, REJECT: 0, HOLD: 0 }
  let fresh = 0
  for (const answer of answers) {
    const decoded = decodeAnswers(answer)
    fresh += decoded.fresh
    for (const { decision } of decoded.items) counts[decision]++
  }
  if (fresh !== payments) throw new RangeError(`${fresh} of ${payments} payments were decided`)
  return counts
}
