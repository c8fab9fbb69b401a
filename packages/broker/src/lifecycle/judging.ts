// Whether evidence can be judged at all: the policy of handshakes and the reference values can be used. What another version
// stored, or what is damaged, refuses every guest. Anybody may ask, so that the answer does not say what is in them: the log does.

import { BrokerError } from '../errors.ts'
import type { Logger } from '../http/logging.ts'
import { type Unready, unready } from './readiness.ts'

export class Judging {
  readonly #assertAble: () => Promise<void>
  readonly #logger: Logger
  #said: string | null = null

  constructor(assertAble: () => Promise<void>, logger: Logger) {
    this.#assertAble = assertAble
    this.#logger = logger
  }

  /** Null where it can be. Each reason is logged once, until it is over. */
  async check(): Promise<Unready | null> {
    try {
      await this.#assertAble()
      this.#said = null
      return null
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      this.#say(error)
      const hint =
        'the log names it; an administrator sets it anew (casemate policy set, reference set), or deletes it'
      return { ...unready('judgement-unable'), hint }
    }
  }

  #say({ code, message, detail }: BrokerError): void {
    if (this.#said === message) return
    this.#said = message
    const { hint, violations } = detail
    this.#logger.error({ code, reason: message, hint, violations }, 'no evidence can be judged')
  }
}
