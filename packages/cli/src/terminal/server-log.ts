// The log of a server on a stream whose reader may be slow, full or gone: it neither ends the server nor makes it wait or
// grow. What waits to be read is bounded; lines beyond, and those that cannot be written, are lost, and counted in the
// log once there is room again.

/** Some thousand lines: what a reader may be behind. */
const MAX_WAITING_BYTES = 1024 * 1024

/** A reader that still reads gets the last lines within it. */
const LAST_LINES_MS = 1_000

export class ServerLog {
  readonly #stream: NodeJS.WritableStream
  readonly #tellLost: (lines: number) => void
  #waiting = 0
  #lost = 0

  /** `tellLost` writes a line that says it. */
  constructor(stream: NodeJS.WritableStream, tellLost: (lines: number) => void) {
    this.#stream = stream
    this.#tellLost = tellLost
    // Each line hears of its own error.
    stream.on('error', () => undefined)
  }

  write(line: string): void {
    const size = Buffer.byteLength(line)
    if (this.#waiting + size > MAX_WAITING_BYTES) {
      this.#lost++
      return
    }
    this.#waiting += size
    this.#stream.write(line, error => {
      this.#waiting -= size
      if (error) this.#lost++
      else this.#admitLost()
    })
  }

  /** Not before half of the room is free again, or a slow reader would be told with every line. */
  #admitLost(): void {
    const lines = this.#lost
    if (lines === 0 || this.#waiting > MAX_WAITING_BYTES / 2) return
    this.#lost = 0
    this.#tellLost(lines)
  }
}

/** Lines that nobody reads would keep a process that has come to its end. */
export function endUnread(): void {
  setTimeout(() => process.exit(), LAST_LINES_MS).unref()
}
