// Lines of the log from other processes: one writes, so that lines stay whole and what is lost is counted once. Where that one
// reads no more, what waits for it is bounded, as is what waits for whoever reads the log.

import { Described, type Logger } from '../../http/logging.ts'

/** By the numbers that pino gives them. */
const LEVELS: Readonly<Record<number, 'debug' | 'info' | 'warn' | 'error' | 'fatal'>> = {
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}

/** Some thousand lines: what the one that writes may be behind. */
const MAX_WAITING_LENGTH = 1024 * 1024

/** Lines on their way to the process that writes them. Those beyond the bound are lost, and counted in the log afterwards. */
export class SentLines {
  readonly #send: (line: string, onSent: () => void) => void
  readonly #tellLost: (lines: number) => void
  #waiting = 0
  #lost = 0

  /** @param tellLost writes a line that says it */
  constructor(send: (line: string, onSent: () => void) => void, tellLost: (lines: number) => void) {
    this.#send = send
    this.#tellLost = tellLost
  }

  write(line: string): void {
    if (this.#waiting + line.length > MAX_WAITING_LENGTH) {
      this.#lost++
      return
    }
    this.#waiting += line.length
    this.#send(line, () => {
      this.#waiting -= line.length
      this.#admitLost()
    })
  }

  /** Not before half of the room is free again, or it would be told with every line. */
  #admitLost(): void {
    const lines = this.#lost
    if (lines === 0 || this.#waiting > MAX_WAITING_LENGTH / 2) return
    this.#lost = 0
    this.#tellLost(lines)
  }
}

/** `line`: as pino writes it. */
export function writeLine(logger: Logger, line: string): void {
  const {
    level,
    time: _time,
    service: _service,
    msg,
    ...members
  } = JSON.parse(line) as {
    readonly level: number
    readonly time: string
    readonly service: string
    readonly msg: string
  }
  logger[LEVELS[level] ?? 'error'](described(members), msg)
}

/** Where the logger would describe an error, it was described before it came here. */
function described(members: object): object {
  const known = Object.entries(members).map(([name, value]) => [
    name,
    name === 'err' || name === 'error' ? new Described(value) : value,
  ])
  return Object.fromEntries(known)
}
