// One instance of an enclave, seen from the platform: a worker thread that answers one call at a time, within a time.
// Whatever goes wrong in it ends it: the call fails with a code, the owner is told once, the process goes on.
import { Worker } from 'node:worker_threads'
import { EnclaveError, type EnclaveErrorCode } from '../errors.ts'
import type { CallMessage, InstanceData, InstanceMessage, PackedBytes } from './messages.ts'

/** JavaScript heap of a thread, without the code's memory: what the platform's own few functions need. */
const HEAP_MB = 64

export interface InstanceSettings {
  readonly data: InstanceData
  readonly log: (text: string) => void
  /** Called once, when an instance that had started is of no more use. */
  readonly onFailed: (error: EnclaveError) => void
  readonly startMs: number
}

interface Pending {
  readonly resolve: (outputs: PackedBytes | null) => void
  readonly reject: (error: EnclaveError) => void
  readonly timer: NodeJS.Timeout
}

export class Instance {
  readonly #worker: Worker
  readonly #settings: InstanceSettings
  #pending: Pending | null = null
  #isReady = false
  #isDead = false

  private constructor(settings: InstanceSettings) {
    this.#settings = settings
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: settings.data,
      // Nothing ambient: neither environment nor arguments of the process.
      env: {},
      argv: [],
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    })
    this.#worker.on('message', (message: InstanceMessage) => this.#receive(message))
    this.#worker.on('error', error => this.#fail(codeOf(error), messageOf(error)))
    this.#worker.on('exit', () => this.#fail('enclave-crashed', 'the thread of the instance ended'))
  }

  /** Resolves when the code is instantiated. @throws {EnclaveError} enclave-crashed, enclave-timeout, out-of-memory */
  static async start(settings: InstanceSettings): Promise<Instance> {
    const instance = new Instance(settings)
    await instance.#wait(settings.startMs)
    instance.#isReady = true
    return instance
  }

  /** @throws {EnclaveError} call-failed, enclave-crashed, enclave-timeout, out-of-memory, enclave-closed */
  async call(message: CallMessage, timeoutMs: number): Promise<PackedBytes> {
    const answer = this.#wait(timeoutMs)
    this.#worker.postMessage(message, [message.inputs.bytes])
    const outputs = await answer
    if (outputs === null) throw new TypeError('an instance became ready twice')
    return outputs
  }

  async close(): Promise<void> {
    this.#end(new EnclaveError('enclave-closed', 'the enclave was closed'))
    await this.#worker.terminate()
  }

  #wait(timeoutMs: number): Promise<PackedBytes | null> {
    return new Promise((resolve, reject) => {
      if (this.#isDead) {
        reject(new EnclaveError('enclave-crashed', 'the instance is of no more use'))
        return
      }
      const timer = setTimeout(
        () => this.#fail('enclave-timeout', `the instance did not answer within ${timeoutMs} ms`),
        timeoutMs,
      )
      this.#pending = { resolve, reject, timer }
    })
  }

  #receive(message: InstanceMessage): void {
    switch (message.type) {
      case 'log':
        this.#settings.log(message.text)
        return
      case 'ready':
        this.#take()?.resolve(null)
        return
      case 'answered':
        this.#take()?.resolve(message.outputs)
        return
      case 'refused':
        this.#take()?.reject(refusal(message.index, message.status))
        return
      case 'fault':
        this.#fail(message.code, message.message)
        return
      default:
        message satisfies never
    }
  }

  #fail(code: EnclaveErrorCode, message: string): void {
    if (this.#isDead) return
    const error = new EnclaveError(code, message)
    const wasReady = this.#isReady
    this.#end(error)
    // Also ends a loop that never returns.
    this.#worker.terminate().catch(() => undefined)
    if (wasReady) this.#settings.onFailed(error)
  }

  #end(error: EnclaveError): void {
    this.#isDead = true
    this.#take()?.reject(error)
  }

  #take(): Pending | null {
    const pending = this.#pending
    this.#pending = null
    if (pending !== null) clearTimeout(pending.timer)
    return pending
  }
}

function refusal(index: number, status: number): EnclaveError {
  return new EnclaveError('call-failed', `the function answered input ${index} with status ${status}`, {
    got: String(status),
    hint: 'what the status means is for the enclave’s author to say',
  })
}

function codeOf(error: unknown): EnclaveErrorCode {
  const isHeap = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
  return isHeap ? 'out-of-memory' : 'enclave-crashed'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
