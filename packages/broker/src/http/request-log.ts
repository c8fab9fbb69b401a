// The log of one request: pino's child with the request's id is made only where something is logged with it. Most
// requests log no more than that they were answered, which needs no child.

import type { FastifyBaseLogger } from 'fastify'

type LogFn = FastifyBaseLogger['info']

export class RequestLog implements FastifyBaseLogger {
  readonly #parent: FastifyBaseLogger
  readonly #bindings: Readonly<Record<string, unknown>>
  #made: FastifyBaseLogger | undefined

  constructor(parent: FastifyBaseLogger, bindings: Readonly<Record<string, unknown>>) {
    this.#parent = parent
    this.#bindings = bindings
  }

  get level(): string {
    return this.#child().level
  }

  get silent(): LogFn {
    return () => undefined
  }

  fatal(...line: unknown[]): void {
    this.#child().fatal(...(line as Parameters<LogFn>))
  }

  error(...line: unknown[]): void {
    this.#child().error(...(line as Parameters<LogFn>))
  }

  warn(...line: unknown[]): void {
    this.#child().warn(...(line as Parameters<LogFn>))
  }

  info(...line: unknown[]): void {
    this.#child().info(...(line as Parameters<LogFn>))
  }

  debug(...line: unknown[]): void {
    this.#child().debug(...(line as Parameters<LogFn>))
  }

  trace(...line: unknown[]): void {
    this.#child().trace(...(line as Parameters<LogFn>))
  }

  child(...of: Parameters<FastifyBaseLogger['child']>): FastifyBaseLogger {
    return this.#child().child(...of)
  }

  #child(): FastifyBaseLogger {
    this.#made ??= this.#parent.child({ ...this.#bindings })
    return this.#made
  }
}
