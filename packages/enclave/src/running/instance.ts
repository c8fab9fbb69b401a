// One instance of an enclave, seen from the platform: a worker thread that does job after job, each within a time.
// Whatever goes wrong in it ends it: the job that it worked on fails with a code, those that it had not begun come back,
// the owner is told once, the process goes on.
import { Worker } from 'node:worker_threads'
import { EnclaveError, type EnclaveErrorCode } from '../errors.ts'
import { dropInputs, type Job, keepInputs } from './job.ts'
import { AdaptivePoll } from './lane/adaptive-poll.ts'
import { DOORBELL, MAX_JOBS, makeBuffers, SharedRing, SharedWords } from './lane/memory.ts'
import { PlatformEnd, type Posted, type Receiver } from './lane/platform-end.ts'
import { LaneBroken } from './lane/ring.ts'
import { LookScheduler } from './look-scheduler.ts'
import type { InstanceData, InstanceMessage } from './messages.ts'
import { threadCode, threadEnvironment } from './own-code.ts'

/** JavaScript heap of a thread, without the code's memory: what the platform's own few functions need. */
const HEAP_MB = 64

export interface InstanceSettings {
  readonly data: Omit<InstanceData, 'lane' | 'spins'>
  /** There are processors enough for all instances and the platform. */
  readonly spins: boolean
  /** Of one answer. */
  readonly maxOutput: number
  readonly log: (text: string) => void
  /** It may be able to take more. */
  readonly onFree: () => void
  /** Jobs that it had not begun. */
  readonly onReturned: (jobs: readonly Job[]) => void
  /** Called once, when an instance that had started is of no more use; `ended` says whether its thread has ended. */
  readonly onFailed: (error: EnclaveError, ended: Promise<boolean>) => void
  /** For the start; to end, a thread has as long. */
  readonly startMs: number
  /** For one job. */
  readonly callMs: number
}

interface PostedJob extends Posted {
  readonly job: Job
}

export class Instance {
  readonly #worker: Worker
  readonly #settings: InstanceSettings
  readonly #end: PlatformEnd
  readonly #receiver: Receiver
  /** In the order in which they are answered. */
  readonly #jobs: PostedJob[] = []
  readonly #poll: AdaptivePoll
  readonly #scheduler: LookScheduler
  readonly #started = Promise.withResolvers<void>()
  /** How many there were of all jobs. */
  #replies = 0
  #isReady = false
  #isDead = false
  #ended: Promise<boolean> | null = null

  private constructor(settings: InstanceSettings) {
    this.#settings = settings
    this.#poll = new AdaptivePoll(settings.spins)
    this.#scheduler = new LookScheduler(settings.callMs, {
      onSoon: () => void this.#attend(null),
      // An instance that has more to do tells only after a while of what is done; if what it does next is slow, too late.
      onLater: () => void (this.#jobs.length > 0 && this.#attend(DOORBELL.urgent)),
      onLimit: () => this.#checkLimit(),
    })
    const lane = makeBuffers()
    const rings = { requests: new SharedRing(lane.requests), replies: new SharedRing(lane.replies) }
    this.#end = new PlatformEnd(new SharedWords(lane.words), rings, settings.maxOutput)
    this.#receiver = this.#makeReceiver()
    this.#worker = new Worker(threadCode(new URL('./worker.ts', import.meta.url)), {
      workerData: { ...settings.data, lane, spins: settings.spins } satisfies InstanceData,
      // Nothing ambient: neither environment nor arguments of the process.
      env: threadEnvironment(),
      argv: [],
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    })
    this.#worker.on('message', (message: InstanceMessage) => this.#receive(message))
    this.#worker.on('error', error => this.#crash(codeOf(error), messageOf(error)))
    this.#worker.on('exit', () => this.#crash('enclave-crashed', 'the thread of the instance ended'))
  }

  /** Resolves when the code is instantiated; rejects when its thread has ended, or does not end. @throws {EnclaveError} enclave-crashed, enclave-timeout, out-of-memory */
  static async start(settings: InstanceSettings): Promise<Instance> {
    const instance = new Instance(settings)
    const timer = setTimeout(() => instance.#fail(late(settings.startMs)), settings.startMs)
    try {
      await instance.#started.promise
    } catch (error) {
      await instance.#endThread()
      throw error
    } finally {
      clearTimeout(timer)
    }
    return instance
  }

  /** How many jobs it has, begun or not. */
  get load(): number {
    return this.#jobs.length
  }

  /** Jobs wait in its lane only as a whole, so that they can be taken back; the first one may be larger than that. */
  takes({ inputs }: Pick<Job, 'inputs'>): boolean {
    if (this.#isDead || this.#jobs.length === MAX_JOBS) return false
    return this.#jobs.length === 0 ? !this.#end.isWriting : this.#end.fits(inputs)
  }

  /** Only what it takes. */
  post(job: Job): void {
    const isFirst = this.#jobs.length === 0
    if (isFirst) {
      const now = performance.now()
      this.#scheduler.beginFirst(now)
      if (this.#poll.begin(now)) this.#scheduler.soon()
      else this.#end.listen(DOORBELL.patient)
    } else this.#scheduler.later()
    this.#scheduler.limit()
    this.#jobs.push({ job, ...this.#end.post(job) })
    if (this.#end.isWriting) keepInputs(job)
    else dropInputs(job)
  }

  /** The next job that it has not begun and that is not its first: no more its own. */
  giveAway(): Job | null {
    for (const [index, posted] of this.#jobs.entries()) {
      if (index === 0 || !this.#end.withdraw(posted)) continue
      this.#jobs.splice(index, 1)
      return this.#regain(posted)
    }
    return null
  }

  async close(): Promise<void> {
    const closed = new EnclaveError('enclave-closed', 'the enclave was closed')
    this.#stop(closed)
    for (const { job } of this.#jobs.splice(0)) job.reject(closed)
    await this.#endThread()
  }

  #receive(message: InstanceMessage): void {
    // All that it did before it sent a message is in the lane.
    if (this.#isDead || !this.#attend(DOORBELL.patient)) return
    switch (message.type) {
      case 'doorbell':
        return
      case 'ready':
        this.#isReady = true
        this.#started.resolve()
        return
      case 'fault':
        this.#fail(new EnclaveError(message.code, message.message))
        return
      default:
        message satisfies never
    }
  }

  #makeReceiver(): Receiver {
    const expected = (): number => {
      const job = this.#jobs[0]?.job
      return job === undefined ? 0 : job.count - job.outputs.length
    }
    return {
      get expected() {
        return expected()
      },
      output: bytes => {
        const { job } = this.#first()
        this.#replies++
        job.outputs.push(bytes)
        if (job.outputs.length < job.count) return
        this.#jobs.shift()
        job.resolve(job.outputs)
      },
      refused: status => {
        const { job } = this.#first()
        this.#replies++
        this.#jobs.shift()
        job.reject(refusal(job.outputs.length, status))
      },
      log: bytes => {
        // Before whoever waits for the answer hears of it, and with errors of its own.
        queueMicrotask(() => this.#settings.log(new TextDecoder().decode(bytes)))
      },
    }
  }

  #first(): PostedJob {
    const [first] = this.#jobs
    if (first === undefined) throw new LaneBroken('a reply to nothing')
    return first
  }

  /** Reads replies, writes what is still to be written. False if that was the end of the instance. */
  #attend(doorbell: number | null): boolean {
    const isAlive = this.#look(doorbell)
    if (isAlive) this.#settings.onFree()
    return isAlive
  }

  /** @param doorbell null if the poll is to say whether it looks again before it waits to be told */
  #look(doorbell: number | null): boolean {
    const [first] = this.#jobs
    const before = this.#replies
    try {
      this.#end.attend(this.#receiver)
    } catch (error) {
      if (!(error instanceof LaneBroken)) throw error
      this.#fail(new EnclaveError('enclave-crashed', error.message))
    }
    if (this.#isDead) return false
    if (this.#replies > before) {
      const now = performance.now()
      this.#poll.saw(this.#replies - before, now)
      if (this.#jobs[0] !== first) this.#scheduler.beginFirst(now)
    }
    if (this.#jobs.length > 0 || this.#end.isWriting) this.#listen(doorbell ?? this.#doorbellOfPoll())
    return true
  }

  #doorbellOfPoll(): number {
    return this.#poll.goesOn(performance.now()) ? DOORBELL.off : DOORBELL.patient
  }

  #listen(doorbell: number): void {
    if (doorbell === DOORBELL.off || this.#end.listen(doorbell)) this.#scheduler.soon()
    if (doorbell === DOORBELL.patient && this.#jobs.length > 1) this.#scheduler.later()
  }

  /** When it is to be checked again. */
  #checkLimit(): number | null {
    const [first] = this.#jobs
    if (first !== undefined && !this.#attend(DOORBELL.patient)) return null
    const left = this.#scheduler.leftMs(performance.now())
    const isLate = this.#jobs[0] === first && left < 1
    const next = isLate ? this.#settings.callMs : Math.max(1, left)
    const isIdle = this.#jobs.length === 0
    if (isLate && first !== undefined) this.#endLate(first)
    return isIdle ? null : next
  }

  /** First takes back what is behind it: if any of that is begun already, the first one was answered in time. */
  #endLate(first: PostedJob): void {
    const left = this.#withdraw(1)
    if (this.#look(DOORBELL.patient) && this.#jobs[0] === first) this.#fail(late(this.#settings.callMs), 1)
    this.#settings.onReturned(left)
  }

  #withdraw(from: number): Job[] {
    const behind = this.#jobs.splice(from)
    const left: Job[] = []
    for (const posted of behind) {
      if (this.#end.withdraw(posted)) left.push(this.#regain(posted))
      else this.#jobs.push(posted)
    }
    return left
  }

  #regain(posted: PostedJob): Job {
    const { job } = posted
    job.inputs = this.#end.readBack(posted)
    job.isOwn = true
    return job
  }

  #crash(code: EnclaveErrorCode, message: string): void {
    if (!this.#isDead && this.#attend(DOORBELL.patient)) this.#fail(new EnclaveError(code, message))
  }

  /** Jobs from this one on that it has not begun come back, the others fail. */
  #fail(reason: EnclaveError, from = 0): void {
    if (this.#isDead) return
    this.#stop(reason)
    const left = this.#withdraw(from)
    for (const { job } of this.#jobs.splice(0)) job.reject(reason)
    // Also ends a loop that never returns, but not before a long step of it is done, such as filling all memory.
    const ended = this.#endThread()
    this.#settings.onReturned(left)
    if (this.#isReady) this.#settings.onFailed(reason, ended)
  }

  /** False if it is waited for no longer: then only the end of the process ends it. */
  #endThread(): Promise<boolean> {
    this.#ended ??= this.#waitForEnd()
    return this.#ended
  }

  async #waitForEnd(): Promise<boolean> {
    const late = Promise.withResolvers<boolean>()
    const timer = setTimeout(() => late.resolve(false), this.#settings.startMs)
    const ended = this.#worker.terminate().then(
      () => true,
      () => false,
    )
    const isEnded = await Promise.race([ended, late.promise])
    clearTimeout(timer)
    return isEnded
  }

  #stop(reason: EnclaveError): void {
    this.#isDead = true
    this.#scheduler.stop()
    this.#started.reject(reason)
    this.#started.promise.catch(() => undefined)
  }
}

function refusal(index: number, status: number): EnclaveError {
  return new EnclaveError('call-failed', `the function answered input ${index} with status ${status}`, {
    got: String(status),
    hint: 'what the status means is for the enclave’s author to say',
  })
}

function late(ms: number): EnclaveError {
  return new EnclaveError('enclave-timeout', `the instance did not answer within ${ms} ms`)
}

function codeOf(error: unknown): EnclaveErrorCode {
  const isHeap = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
  return isHeap ? 'out-of-memory' : 'enclave-crashed'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
