// Lines of the log from other processes: one writes, so that lines stay whole and what is lost is counted once.

import { Described, type Logger } from '../../http/logging.ts'

/** By the numbers that pino gives them. */
const LEVELS: Readonly<Record<number, 'debug' | 'info' | 'warn' | 'error' | 'fatal'>> = {
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
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
