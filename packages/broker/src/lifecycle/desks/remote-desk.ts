// A desk as the process sees it that admits connections: hands them over, knows which are open, hears when it has ended or
// stands still, and ends it.

import type { Socket } from 'node:net'
import { BrokerError } from '../../errors.ts'
import { describeError, type Logger } from '../../http/logging.ts'
import type { DeskMethods } from './desk-process.ts'
import { type KeeperParts, keeperFor, RemoteWraps } from './keeper.ts'
import { Line } from './line.ts'
import type { PlacedConnection } from './placed-connection.ts'
import type { DeskProcess } from './processes.ts'

/** Nothing that a desk does takes as long as all of these; a machine that was suspended counts as one. */
const LOOK_MS = 10_000
const MOST_UNANSWERED = 6

/** For what follows when the last connection is closed: counts are recorded, the database is closed. */
const CLOSING_MS = 5_000

export class RemoteDesk {
  readonly line: Line<DeskMethods>
  readonly #process: DeskProcess
  readonly #logger: Logger
  readonly #onFailure: (failure: Error) => void
  readonly #looks: NodeJS.Timeout
  readonly #wraps: RemoteWraps
  /** By the number that both processes know them by. */
  readonly #placed = new Map<number, PlacedConnection>()
  readonly #numbers = new Map<PlacedConnection, number>()
  #count = 0
  #unanswered = 0
  #isClosing = false
  #hasEnded = false

  constructor(
    deskProcess: DeskProcess,
    parts: Omit<KeeperParts, 'onClosed' | 'onFailed' | 'wraps'>,
    onFailure: (failure: Error) => void,
  ) {
    this.#process = deskProcess
    this.#logger = parts.logger
    this.#onFailure = onFailure
    this.#wraps = new RemoteWraps(parts.shared.wraps)
    const onClosed = (number: number) => this.#closed(number)
    const own = { wraps: this.#wraps, onClosed, onFailed: onFailure }
    this.line = new Line(deskProcess, keeperFor({ ...parts, ...own }))
    this.#looks = setInterval(() => this.#look(), LOOK_MS)
    this.#looks.unref()
    void deskProcess.ended.then(cause => this.#fail('a process that serves clients has ended', cause))
  }

  /** Connections that it has now. */
  get size(): number {
    return this.#placed.size
  }

  serve(socket: Socket, placed: PlacedConnection): void {
    const number = ++this.#count
    this.#placed.set(number, placed)
    this.#numbers.set(placed, number)
    try {
      this.line.hand('serve', socket, [number])
    } catch {
      // Gone in this moment, or the process has ended: there is nothing left to hand over, or nobody to hand it to.
      socket.destroy()
      this.#closed(number)
    }
  }

  end(placed: PlacedConnection): void {
    const number = this.#numbers.get(placed)
    if (number !== undefined && !this.#hasEnded && !this.#isClosing) this.line.tell('end', [number])
  }

  /** In order where it can, and then in any case. Never fails: the rest is to be closed, whatever becomes of this. */
  async close(graceMs: number): Promise<void> {
    clearInterval(this.#looks)
    try {
      if (!this.#hasEnded) await within(graceMs + CLOSING_MS, this.line.call('close', graceMs))
    } catch (error) {
      this.#logger.error(
        { failure: describeError(error) },
        'a process that serves clients did not close in order',
      )
    }
    await this.drop()
  }

  /** At once, whatever it does. Resolves when it does nothing any more. */
  async drop(): Promise<void> {
    clearInterval(this.#looks)
    this.#isClosing = true
    this.line.fail(new BrokerError('unavailable', 'the broker is closing'))
    await this.#process.end()
    this.#wraps.endAll()
  }

  /** Whoever asks whether the broker is alive is served by another process, or by this one and waits. */
  #look(): void {
    if (this.#unanswered === MOST_UNANSWERED) {
      this.#fail('a process that serves clients stands still', null)
      return
    }
    void this.#ask()
  }

  async #ask(): Promise<void> {
    this.#unanswered++
    try {
      await this.line.call('look')
      this.#unanswered = 0
    } catch {
      // It has ended: who hears of that is told.
    }
  }

  /** @param cause how it has ended; null where it has not */
  #fail(message: string, cause: Error | null): void {
    if (this.#isClosing || this.#hasEnded) return
    this.#hasEnded = true
    clearInterval(this.#looks)
    const [why, words] = cause === null ? [{}, ''] : [{ reason: cause.message }, `: ${cause.message}`]
    this.#logger.error(why, message)
    const failure = new BrokerError('internal', `${message}${words}`, cause === null ? {} : { cause })
    this.line.fail(failure)
    this.#onFailure(failure)
  }

  #closed(number: number): void {
    const placed = this.#placed.get(number)
    if (placed === undefined) return
    this.#placed.delete(number)
    this.#numbers.delete(placed)
    placed.emit('close')
  }
}

/** @throws {BrokerError} `internal` where it takes longer */
async function within<T>(spanMs: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new BrokerError('internal', `it took longer than ${spanMs} ms`)),
    spanMs,
  )
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
