// A running enclave: instances of checked code in worker threads. Calls are bytes in, bytes out; one call runs on one
// instance, waiting calls in the order they came. An instance that fails is replaced; what it was doing fails alone.
import { availableParallelism } from 'node:os'
import { EnclaveError, type EnclaveErrorCode } from '../errors.ts'
import type { Manifest } from '../image/manifest.ts'
import { MAX_THREADS, WASM_PAGE_SIZE } from '../image/manifest.ts'
import { identityOf } from '../sealing/identity.ts'
import { SEALING_IMPORTS } from './abi.ts'
import { type CheckedImage, checkImage, type Demands } from './check.ts'
import { Instance, type InstanceSettings } from './instance.ts'
import { type Job, keepInputs, takeInputs } from './job.ts'
import { type EnclavePlatform, offeredImports } from './platform.ts'

export interface EnclaveLimits {
  /** For one call, or one batch. */
  readonly callMs: number
  /** For instantiating one instance, and for a thread to end. */
  readonly startMs: number
  /** Of all instances together, in pages of 64 KiB. */
  readonly memoryPages: number
}

/** Long for a call that computes, short for a person who waits; 2 GiB, which a laptop can spare. */
export const DEFAULT_LIMITS: EnclaveLimits = { callMs: 10_000, startMs: 10_000, memoryPages: 32_768 }

/** Timers count no further. */
const MAX_LIMIT = 0x7fff_ffff

/** Names how many instances run, where the caller does not say; never more than the manifest allows. */
const THREADS_VARIABLE = 'ENCLAVE_CPU_COUNT'

export interface EnclaveOptions extends Demands {
  readonly platform: EnclavePlatform
  /** Instances; default ENCLAVE_CPU_COUNT, else as many as the manifest says. */
  readonly threads?: number
  readonly limits?: Partial<EnclaveLimits>
}

export interface CallOptions {
  /** Gives the buffer away instead of copying it, where the bytes are all of it: they are empty afterwards. */
  readonly transfer: boolean
}

export class Enclave {
  readonly manifest: Manifest
  /** 32 bytes. */
  readonly mrEnclave: Uint8Array
  /** 32 bytes. */
  readonly mrSigner: Uint8Array
  /** How many instances run. */
  readonly threads: number
  readonly #platform: EnclavePlatform
  readonly #limits: EnclaveLimits
  readonly #data: InstanceSettings['data']
  readonly #instances = new Map<number, Instance>()
  readonly #queue: Job[] = []
  readonly #replacements = new Set<Promise<void>>()
  /** Why nothing is taken any more. */
  #end: EnclaveError | null = null

  private constructor(checked: CheckedImage, platform: EnclavePlatform, limits: EnclaveLimits) {
    const { manifest, mrEnclave, sigstruct, module, threads } = checked
    this.manifest = manifest
    this.mrEnclave = mrEnclave
    this.mrSigner = sigstruct.mrSigner
    this.threads = threads
    this.#platform = platform
    this.#limits = limits
    const { exports, imports, configuration } = manifest
    const secrets = new Map([...platform.secrets].filter(([path]) => manifest.secrets.includes(path)))
    const seals = SEALING_IMPORTS.some(name => imports.includes(name))
    const sealing =
      seals && platform.sealing !== null
        ? { root: platform.sealing, identity: identityOf(checked, sigstruct) }
        : null
    this.#data = { module, exports, imports, configuration, secrets, sealing }
  }

  /** Checks everything, then starts every instance. @throws {EnclaveError} with the code of what is wrong */
  static async create(image: Uint8Array, options: EnclaveOptions): Promise<Enclave> {
    const { platform, threads } = options
    const limits = { ...DEFAULT_LIMITS, ...options.limits }
    checkLimits(limits)
    const variable = process.env[THREADS_VARIABLE]
    const checked = await checkImage(image, options, {
      imports: offeredImports(platform),
      secrets: platform.secrets,
      memoryPages: limits.memoryPages,
      threads: threads === undefined ? null : checkThreads(threads, 'threads'),
      processors: variable === undefined ? null : checkThreads(Number(variable), THREADS_VARIABLE),
    })
    const enclave = new Enclave(checked, platform, limits)
    const started = Array.from({ length: checked.threads }, (_, id) => enclave.#startInstance(id))
    const [failed] = (await Promise.allSettled(started)).filter(result => result.status === 'rejected')
    if (failed !== undefined) {
      await enclave.close()
      throw failed.reason
    }
    return enclave
  }

  /**
   * The answer to one input. The input is copied, unless it is given away.
   * @throws {EnclaveError} function-unknown, invalid-parameter, call-failed, enclave-crashed, enclave-timeout,
   * out-of-memory, enclave-lost, enclave-closed
   */
  async call(
    name: string,
    input: Uint8Array,
    options: CallOptions = { transfer: false },
  ): Promise<Uint8Array> {
    this.#checkCall(name, [input])
    const taken = options.transfer ? takeInputs([input]) : null
    const [output] = await this.#run(name, taken ?? [input], taken !== null)
    if (output === undefined) throw new TypeError('an instance answered a call with nothing')
    return output
  }

  /**
   * The answers to many inputs, in their order, from one instance: all of them or none. Inputs that are given away are
   * the caller's no more where they lie one after the other and are all of their buffer.
   * @throws {EnclaveError} as `call`
   */
  async callBatch(
    name: string,
    inputs: readonly Uint8Array[],
    options: CallOptions = { transfer: false },
  ): Promise<readonly Uint8Array[]> {
    this.#checkCall(name, inputs)
    if (inputs.length === 0) return []
    const taken = options.transfer ? takeInputs(inputs) : null
    return this.#run(name, taken ?? inputs, taken !== null)
  }

  /** Ends every instance; what is under way or waiting fails with enclave-closed. */
  async close(): Promise<void> {
    this.#finish(new EnclaveError('enclave-closed', 'the enclave was closed'))
    await Promise.all(Array.from(this.#instances.values(), instance => instance.close()))
    await Promise.all(this.#replacements)
  }

  #checkCall(name: string, inputs: readonly Uint8Array[]): void {
    if (!this.manifest.exports.includes(name)) {
      throw new EnclaveError(
        'function-unknown',
        `the enclave has no function ${JSON.stringify(name.slice(0, 64))}`,
        {
          expected: this.manifest.exports.join(', '),
          got: name.slice(0, 64),
        },
      )
    }
    const limit = this.manifest.memoryPages * WASM_PAGE_SIZE
    for (const input of inputs) {
      if (input.buffer instanceof ArrayBuffer && input.buffer.detached) {
        throw new EnclaveError('invalid-parameter', 'the input was given away before')
      }
      if (input.length <= limit) continue
      throw new EnclaveError(
        'invalid-parameter',
        `the input has ${input.length} bytes, the enclave has ${limit}`,
        {
          expected: `at most ${limit} bytes`,
          got: `${input.length} bytes`,
        },
      )
    }
  }

  #run(name: string, inputs: readonly Uint8Array[], isOwn: boolean): Promise<readonly Uint8Array[]> {
    if (this.#end !== null) return Promise.reject(this.#end)
    return new Promise((resolve, reject) => {
      const call = this.manifest.exports.indexOf(name)
      const job = { call, inputs, isOwn, count: inputs.length, outputs: [], resolve, reject }
      this.#queue.push(job)
      this.#dispatch()
      // Now the caller may change its inputs.
      if (this.#queue.at(-1) === job) keepInputs(job)
    })
  }

  #dispatch(): void {
    for (let job = this.#queue[0]; job !== undefined; job = this.#queue[0]) {
      const instance = this.#pick(job)
      if (instance === null) return
      this.#queue.shift()
      instance.post(job)
    }
  }

  /** Of those that take it the one with the least to do. */
  #pick(job: Job): Instance | null {
    let best: Instance | null = null
    for (const instance of this.#instances.values()) {
      if ((best === null || instance.load < best.load) && instance.takes(job)) best = instance
    }
    return best
  }

  /** Waiting jobs go to instances with room; an instance that is idle then takes jobs that wait behind those of others. */
  #offer(id: number): void {
    this.#dispatch()
    const idle = this.#instances.get(id)
    if (idle === undefined || idle.load > 0) return
    for (const other of this.#instances.values()) {
      if (other.load < 2 || !idle.takes({ inputs: [] })) continue
      const job = other.giveAway()
      if (job === null) continue
      idle.post(job)
      return
    }
  }

  /** They were first, and are first again. */
  #takeBack(jobs: readonly Job[]): void {
    this.#queue.unshift(...jobs)
    if (this.#end === null) this.#dispatch()
    else this.#finish(this.#end)
  }

  async #startInstance(id: number): Promise<void> {
    const instance = await Instance.start({
      data: this.#data,
      spins: availableParallelism() > this.threads,
      maxOutput: this.manifest.memoryPages * WASM_PAGE_SIZE,
      startMs: this.#limits.startMs,
      callMs: this.#limits.callMs,
      log: text => this.#platform.log({ instance: id, text }),
      onFree: () => this.#offer(id),
      onReturned: jobs => this.#takeBack(jobs),
      onFailed: (error, ended) => this.#replace(id, error, ended),
    })
    if (this.#end !== null) {
      await instance.close()
      return
    }
    this.#instances.set(id, instance)
    this.#offer(id)
  }

  /** Only if the thread of the other has ended: until then it has its memory, which counts. */
  #replace(id: number, { code, message }: EnclaveError, ended: Promise<boolean>): void {
    this.#instances.delete(id)
    // After what it logged before, which may have been read at the same moment.
    queueMicrotask(() => this.#platform.report({ type: 'instance-failed', instance: id, code, message }))
    if (this.#end !== null) return
    const replacement = ended
      .then(isEnded => {
        if (!isEnded) throw unending(code, this.#limits.startMs)
        return this.#startInstance(id)
      })
      .then(
        () => this.#platform.report({ type: 'instance-replaced', instance: id }),
        (error: unknown) => this.#giveUp(id, error),
      )
    this.#replacements.add(replacement)
    void replacement.finally(() => this.#replacements.delete(replacement))
  }

  /** One place stays empty; without any instance left the enclave is lost. */
  #giveUp(id: number, error: unknown): void {
    if (this.#end !== null) return
    const code = error instanceof EnclaveError ? error.code : 'enclave-crashed'
    const message = error instanceof Error ? error.message : String(error)
    this.#platform.report({ type: 'instance-lost', instance: id, code, message })
    // Others may be on their way; this one still counts.
    if (this.#instances.size > 0 || this.#replacements.size > 1) return
    this.#platform.report({ type: 'enclave-lost', code, message })
    this.#finish(new EnclaveError('enclave-lost', `no instance is left: ${message}`, { cause: error }))
  }

  #finish(error: EnclaveError): void {
    this.#end ??= error
    for (const job of this.#queue.splice(0)) job.reject(error)
  }
}

function checkThreads(threads: number, what: string): number {
  if (Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS) return threads
  throw new EnclaveError(
    'invalid-parameter',
    `${what} is ${threads}, want an integer from 1 to ${MAX_THREADS}`,
    {
      expected: `an integer from 1 to ${MAX_THREADS}`,
      got: String(threads),
    },
  )
}

function unending(code: EnclaveErrorCode, ms: number): EnclaveError {
  return new EnclaveError('enclave-timeout', `the thread did not end within ${ms} ms after ${code}`, {
    hint: 'it computes until the process ends, which may take SIGKILL',
  })
}

/** Longer times are none to a timer. */
function checkLimits(limits: EnclaveLimits): void {
  for (const [name, value] of Object.entries(limits)) {
    if (Number.isInteger(value) && value >= 1 && value <= MAX_LIMIT) continue
    throw new EnclaveError(
      'invalid-parameter',
      `${name} is ${value}, want an integer from 1 to ${MAX_LIMIT}`,
      {
        expected: `an integer from 1 to ${MAX_LIMIT}`,
        got: String(value),
      },
    )
  }
}
