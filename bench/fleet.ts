// Guests on machines of their own, each with one connection that it keeps: as many at a time as hands are given, for as
// long as is wanted.
import type { Agent } from 'node:http'
import type { IntelPlatform } from '@casemate/simulator'
import { attestAndFetch, keepingAgent } from './attesting.ts'
import { machine, type Target } from './wire.ts'

const MACHINES = 512
const GROUP = 16
/** Guests at the same time, unless it is said otherwise. */
export const AT_ONCE = 16

/** Its outcome. */
export interface Attested {
  /** Handshakes with their secret. */
  readonly done: number
  readonly failed: number
  readonly seconds: number
}

export class Fleet {
  readonly #target: Target
  readonly #platform: IntelPlatform
  readonly #agent: Agent
  readonly #atOnce: number
  #next = 0

  constructor(target: Target, platform: IntelPlatform, atOnce = AT_ONCE) {
    this.#target = target
    this.#platform = platform
    this.#agent = keepingAgent(target)
    this.#atOnce = atOnce
  }

  /** Every machine once, so that each has its connection. */
  async connect(): Promise<void> {
    await this.#together(() => this.#next < MACHINES)
  }

  async attestFor(ms: number): Promise<Attested> {
    const startedAt = performance.now()
    const [done, failed] = await this.#together(() => performance.now() - startedAt < ms)
    return { done, failed, seconds: (performance.now() - startedAt) / 1000 }
  }

  close(): void {
    this.#agent.destroy()
  }

  async #together(isWanted: () => boolean): Promise<readonly [number, number]> {
    let [done, failed] = [0, 0]
    const worker = async (): Promise<void> => {
      while (isWanted()) {
        if (await this.#attest(machine(GROUP, this.#next++ % MACHINES))) done++
        else failed++
      }
    }
    await Promise.all(Array.from({ length: this.#atOnce }, worker))
    return [done, failed]
  }

  #attest(from: string): Promise<boolean> {
    const line = { target: this.#target, agent: this.#agent, from }
    return attestAndFetch(line, this.#platform).catch(() => false)
  }
}
