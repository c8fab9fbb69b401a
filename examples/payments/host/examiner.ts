// Instances that examine frames, each by itself: as many as there are processors. One that fails takes its frame along and
// nothing else; it is made ready again before it gets another.
import type { Enclave } from '@casemate/enclave'
import { endsInstance, type Preparation } from './preparation.ts'

class Examiner {
  readonly enclave: Enclave
  readonly #prepare: Preparation
  #isReady = false

  constructor(enclave: Enclave, prepare: Preparation) {
    this.enclave = enclave
    this.#prepare = prepare
  }

  async examine(frame: Uint8Array): Promise<Uint8Array> {
    await this.makeReady()
    try {
      return await this.enclave.call('examine', frame, { transfer: true })
    } catch (error) {
      this.#isReady = !endsInstance(error)
      throw error
    }
  }

  async makeReady(): Promise<void> {
    if (this.#isReady) return
    await this.#prepare(this.enclave)
    this.#isReady = true
  }
}

export class Examiners {
  readonly #all: readonly Examiner[]
  readonly #idle: Examiner[]
  readonly #waiting: ((examiner: Examiner) => void)[] = []

  private constructor(all: readonly Examiner[]) {
    this.#all = all
    this.#idle = [...all]
  }

  static async open(enclaves: readonly Enclave[], prepare: Preparation): Promise<Examiners> {
    const all = enclaves.map(enclave => new Examiner(enclave, prepare))
    await Promise.all(all.map(examiner => examiner.makeReady()))
    return new Examiners(all)
  }

  /** Records of a frame, whose buffer is given away. @throws {EnclaveError} */
  async examine(frame: Uint8Array): Promise<Uint8Array> {
    const examiner = await this.#take()
    try {
      return await examiner.examine(frame)
    } finally {
      this.#release(examiner)
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map(({ enclave }) => enclave.close()))
  }

  #take(): Promise<Examiner> {
    const examiner = this.#idle.pop()
    if (examiner !== undefined) return Promise.resolve(examiner)
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  #release(examiner: Examiner): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#idle.push(examiner)
    else next(examiner)
  }
}
