// Structured logs (pino). A line says which route pattern, never which URL: paths hold secrets' names. Errors are
// logged by code and place; messages stay out, since what a parser says may quote what it parsed.

import { systemCode } from '@casemate/evidence'
import { Unavailable } from '@casemate/evidence/node'
import type { FastifyBaseLogger } from 'fastify'
import { pino } from 'pino'
import { BrokerError, StartError } from '../errors.ts'

/** Members that must not be logged even by mistake, at the first two levels. */
const REDACTED_MEMBERS = [
  'authorization',
  'cookie',
  'token',
  'secret',
  'passphrase',
  'evidence',
  'nonce',
  'plaintext',
]

/** What the broker logs with; pino is one. */
export type Logger = FastifyBaseLogger

export function createLogger(level: string, destination?: { write(line: string): void }): Logger {
  const options = {
    level,
    base: { service: 'casemate-broker' },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: REDACTED_MEMBERS.flatMap(name => [name, `*.${name}`]),
      censor: '<redacted>',
    },
    serializers: { err: describeError, error: describeError, req: () => undefined, res: () => undefined },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

/** What {@link describeError} has said of an error in another process. */
export class Described {
  readonly said: unknown

  constructor(said: unknown) {
    this.said = said
  }
}

/** Name, code and stack frames; of a service that was asked, its host and what the system said of the connection. */
export function describeError(error: unknown): object {
  if (error instanceof Described) return Object(error.said)
  if (error instanceof BrokerError || error instanceof StartError)
    return { name: error.name, code: error.code }
  if (!(error instanceof Error)) return { name: typeof error }
  const frames = error.stack?.split('\n').filter(line => /^\s+at /.test(line)) ?? []
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  return { name: error.name, ...code, ...serviceOf(error), stack: frames.map(line => line.trim()).join('\n') }
}

function serviceOf(error: Error): object {
  if (!(error instanceof Unavailable) || error.host === undefined) return {}
  const system = systemCode(error.cause)
  return { host: error.host, ...(system === undefined ? {} : { system }) }
}
