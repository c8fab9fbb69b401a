// The server of payments: frames in, answers out once they are on disk, receipts for whoever asks. It runs in the attested
// process beside the enclave; what it cannot read it carries, and what it carries is sealed.
import type { CallTarget } from '@casemate/channel'
import { type Enclave, EnclaveError } from '@casemate/enclave'
import { BEGUN_KEYS_AT } from '../assembly/wire.ts'
import type { DecisionReceipt } from '../evidence.ts'
import { setBusinessDay } from '../frames.ts'
import { Booking } from './booking.ts'
import { Examiners } from './examiner.ts'
import { Journal } from './journal.ts'

export interface PaymentsOptions {
  /** Of the database. */
  readonly directory: string
  /** The sealed sanctions list. */
  readonly list: Uint8Array
  /** A new enclave of one instance. */
  readonly openEnclave: () => Promise<Enclave>
  /** How many examine at once; one more books. */
  readonly examiners: number
  readonly now: () => Date
  readonly report: (what: string) => void
}

export interface PaymentsServer {
  readonly target: CallTarget
  readonly close: () => Promise<void>
}

const DAY_MS = 86_400_000

/** @throws {EnclaveError} @throws {LedgerError} */
export async function openPayments(options: PaymentsOptions): Promise<PaymentsServer> {
  const { directory, list, openEnclave, now, report } = options
  const journal = new Journal(directory)
  const prepareBook = async (enclave: Enclave): Promise<void> => {
    const output = await enclave.call('begin', journal.keys ?? new Uint8Array(0))
    if (journal.keys === null) journal.keepKeys(output.subarray(BEGUN_KEYS_AT))
    await journal.openLedger(output.subarray(0, BEGUN_KEYS_AT), now)
  }
  const booking = await Booking.open({ journal, openEnclave, prepare: prepareBook, report })
  const enclaves = await Promise.all(Array.from({ length: options.examiners }, () => openEnclave()))
  const examiners = await Examiners.open(enclaves, async enclave => {
    await prepareBook(enclave)
    await enclave.call('loadSanctions', list)
  })
  const desk = new Desk(journal, booking, examiners, now)
  return {
    target: {
      call: (name, input) => desk.call(name, input),
      callBatch: (name, inputs) => desk.callBatch(name, inputs),
    },
    close: async () => {
      await examiners.close()
      await booking.close()
      await journal.close()
    },
  }
}

/** The calls of clients. */
class Desk {
  readonly #journal: Journal
  readonly #booking: Booking
  readonly #examiners: Examiners
  readonly #now: () => Date

  constructor(journal: Journal, booking: Booking, examiners: Examiners, now: () => Date) {
    this.#journal = journal
    this.#booking = booking
    this.#examiners = examiners
    this.#now = now
  }

  async call(name: string, input: Uint8Array): Promise<Uint8Array> {
    switch (name) {
      case 'decide':
        return this.#decide(input)
      case 'receipt':
        return encode(await this.#receipt(input))
      case 'log':
        return encode({ verifierKey: this.#journal.ledger.verifierKey, entries: this.#journal.ledger.size })
      default:
        throw new EnclaveError('function-unknown', `${name.slice(0, 64)} is not for clients`)
    }
  }

  callBatch(name: string, inputs: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    return Promise.all(inputs.map(input => this.call(name, input)))
  }

  /** The day is this machine's to say, not the sender's. */
  async #decide(frame: Uint8Array): Promise<Uint8Array> {
    const day = Math.floor(this.#now().getTime() / DAY_MS)
    // Also what came in a batch gets a buffer of its own, which is given to the instance.
    const own = frame.byteLength === frame.buffer.byteLength ? frame : frame.slice()
    setBusinessDay(own, day)
    const records = await this.#examiners.examine(own)
    return this.#booking.book(day, records)
  }

  /** Frame and leaf, u32 each. */
  async #receipt(input: Uint8Array): Promise<DecisionReceipt> {
    const view = new DataView(input.buffer, input.byteOffset, input.length)
    const piece = input.length === 8 ? this.#journal.piece(view.getUint32(0, true)) : undefined
    if (piece === undefined) throw new EnclaveError('invalid-parameter', 'there is no such frame')
    const leaf = view.getUint32(4, true)
    const { record, salt, proof } = await this.#booking.disclose(leaf, piece.sealed)
    return {
      format: 'casemate-payment/1',
      leaf,
      record: base64(record),
      salt: base64(salt),
      inclusion: proof.map(base64),
      frame: await this.#journal.ledger.receipt(piece.position),
    }
  }
}

function encode(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
