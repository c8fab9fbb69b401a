// The tests of the enclave's code share this: a bare enclave with a small list, a clock, and answers as the reference has
// them.

import { join, resolve } from 'node:path'
import { DEFAULT_RULES, type Rules } from '../../configuration.ts'
import {
  type Answers,
  decodeAnswers,
  decodeBooked,
  encodeBooking,
  encodeFrame,
  setBusinessDay,
} from '../../frames.ts'
import { packSanctions, type SanctionsFiles } from '../../owner.ts'
import { type BareEnclave, bareEnclaves, labelled } from '../bare-enclave.ts'
import { builtImage } from '../built.ts'
import { message, type Payment, payment } from '../generate/messages.ts'
import { Random } from '../generate/random.ts'
import { makeSanctions } from '../generate/sanctions.ts'
import { ReferenceList } from '../reference/screening.ts'

export const DATA = join(
  process.env['CASEMATE_DATA'] ?? resolve(import.meta.dirname, '../../../../../shared/data'),
  'payments',
)
export const DATE = '2026-11-25'
export const TODAY = Date.parse(`${DATE}T00:00:00Z`) / 86_400_000
export const RULES: Rules = { ...DEFAULT_RULES, remembered: 4096 }
export const SANCTIONS = makeSanctions(3, 400)

export const newBareEnclave = await bareEnclaves(builtImage, RULES)

export function referenceList({ parties, aliases }: SanctionsFiles): ReferenceList {
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
  return new ReferenceList(text(parties), text(aliases))
}

/** An answer that is bytes. */
export function bytesOf(answer: Uint8Array<ArrayBuffer> | number): Buffer {
  if (typeof answer === 'number') throw new Error(`status ${answer}`)
  return Buffer.from(answer)
}

/** A bare enclave that decides as the server lets the real one decide. */
export class Bank {
  readonly enclave: BareEnclave
  readonly pieces: Buffer[] = []
  #frame = 0

  constructor(files: SanctionsFiles = SANCTIONS, keys: Uint8Array = new Uint8Array(), rules: Rules = RULES) {
    this.enclave = newBareEnclave(rules)
    bytesOf(this.enclave.call('begin', keys))
    bytesOf(this.enclave.call('loadSanctions', labelled('list', packSanctions(files))))
  }

  examine(messages: readonly Uint8Array[], day = TODAY): Buffer {
    const frame = encodeFrame(messages)
    setBusinessDay(frame, day)
    return bytesOf(this.enclave.call('examine', frame))
  }

  /** One frame, as it would be booked. */
  decide(messages: readonly Uint8Array[], day = TODAY): Answers {
    const input = encodeBooking({ frame: this.#frame + 1, day, records: this.examine(messages, day) })
    const { answers, frame, sealed } = decodeBooked(bytesOf(this.enclave.call('book', input)))
    if (frame !== 0) {
      this.#frame = frame
      this.pieces.push(Buffer.from(sealed))
    }
    return decodeAnswers(answers)
  }

  /** Tells another one the pieces that this one sealed, as after a restart. */
  replay(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) bytesOf(this.enclave.call('replay', piece))
    this.#frame += pieces.length
  }
}

let made = 0

/** A valid message with one payment, of which anything can be said. */
export function newMessage(change: Partial<Payment> = {}, seed = ++made): string {
  const random = new Random(seed)
  return message(random, { date: DATE, messageId: `T${seed}`, payments: [{ ...payment(random), ...change }] })
}

export function bytes(text: string): Uint8Array {
  return Buffer.from(text)
}
