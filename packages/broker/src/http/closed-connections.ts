// Connections that a limit closes, in the log: once a minute for each client, as a line for each would be a flood of its own.

import { clientOf } from '../client-address.ts'
import { ClientLimit } from '../client-limit.ts'
import type { SettingName } from '../config/settings.ts'
import type { Logger } from './logging.ts'

const MINUTE_MS = 60_000

/**
 * Tells whose connection was closed, and by which limit: a setting, how many requests of one may wait for their answers,
 * or how many bytes of bodies all may have in flight.
 */
export type TellClosed = (address: string, limit: SettingName | 'unanswered' | 'bodies') => void

export function tellerOfClosed(logger: Logger, elapsedMs: () => number): TellClosed {
  const told = new ClientLimit({ count: 1, windowMs: MINUTE_MS, elapsedMs })
  return (address, limit) => {
    if (told.take(address) === 0) logger.warn({ client: clientOf(address), limit }, 'connections are closed')
  }
}
