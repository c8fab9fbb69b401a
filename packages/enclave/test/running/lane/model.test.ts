// Both ends of a lane, in every order in which their steps can come: no lost wake-up, no job done twice, none lost.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Request } from '../../../src/running/lane/frames.ts'
import { InstanceEnd } from '../../../src/running/lane/instance-end.ts'
import { DOORBELL } from '../../../src/running/lane/memory.ts'
import { PlatformEnd, type Posted, type Receiver } from '../../../src/running/lane/platform-end.ts'
import { explore, type ModelEnd, type ModelThread } from './explorer.ts'

/** A job that never ends. */
const ENDLESS = 9
/** A job that is refused at its first input. */
const REFUSED = 8

const NO_SPIN = { wait: () => undefined, end: () => undefined }

type Script = (platform: Platform) => void

/** The platform’s thread, doing what an instance does with its end of a lane. */
class Platform implements Receiver {
  readonly #model: ModelThread
  readonly #end: PlatformEnd
  readonly #jobs: { readonly request: Request; readonly posted: Posted; outputs: number }[] = []

  constructor(model: ModelThread) {
    this.#model = model
    this.#end = new PlatformEnd(model.words, model.rings, 64)
  }

  get isWaiting(): boolean {
    return this.#jobs.length > 0
  }

  get expected(): number {
    const [job] = this.#jobs
    return job === undefined ? 0 : job.request.inputs.length - job.outputs
  }

  post(call: number, ...inputs: number[][]): Posted {
    const request = { call, inputs: inputs.map(input => Uint8Array.from(input)) }
    if (!this.isWaiting) this.#end.listen(DOORBELL.patient)
    const posted = this.#end.post(request)
    this.#jobs.push({ request, posted, outputs: 0 })
    return posted
  }

  /** Until there is nothing that waits. */
  attendAll(): void {
    let doorbell: number = DOORBELL.patient
    while (this.isWaiting || this.#end.isWriting) {
      this.#end.attend(this)
      if (!this.isWaiting && !this.#end.isWriting) break
      if (this.#end.listen(doorbell)) continue
      doorbell = this.#model.event() === 'timer' ? DOORBELL.urgent : DOORBELL.patient
    }
  }

  look(): void {
    this.#end.attend(this)
  }

  withdraw(posted: Posted): void {
    const index = this.#jobs.findIndex(job => job.posted === posted)
    if (index < 0 || !this.#end.withdraw(posted)) return
    const [job] = this.#jobs.splice(index, 1)
    const inputs = this.#end.readBack(posted)
    assert.deepEqual(inputs, job!.request.inputs)
    this.#model.note(`withdrew ${job!.request.call}`)
  }

  output(bytes: Uint8Array): void {
    const job = this.#jobs[0]!
    const input = job.request.inputs[job.outputs++]!
    assert.deepEqual([...bytes], [...input, job.request.call])
    if (job.outputs < job.request.inputs.length) return
    this.#over()
  }

  refused(status: number): void {
    assert.equal(status, REFUSED)
    this.#over()
  }

  log(): void {
    assert.fail('nobody logs')
  }

  #over(): void {
    this.#model.note(`answered ${this.#jobs.shift()!.request.call}`)
  }
}

/** The instance’s thread: each answer is its input and the number of the function. */
function instance(model: ModelThread, clock: () => number): void {
  const end = new InstanceEnd(model.words, model.rings, {
    ringDoorbell: model.ringDoorbell,
    now: clock,
    spin: NO_SPIN,
  })
  for (;;) {
    const { call, inputs } = end.next()
    model.note(`ran ${call}`)
    for (let left = inputs; left > 0; left--) {
      const length = end.inputLength()
      const answer = new Uint8Array(length + 1)
      end.takeInput(answer.subarray(0, length))
      answer[length] = call
      if (call === ENDLESS) model.hang()
      if (call !== REFUSED) end.answer(answer)
      else {
        end.refuse(REFUSED)
        while (--left > 0) end.skipInput(end.inputLength())
      }
    }
  }
}

interface Expected {
  readonly ringBytes?: number
  /** An instance that is patient and never finds it late, or one that always does. */
  readonly isPatient?: boolean
  /** Whether the platform’s thread is left waiting. */
  readonly isStuck?: boolean
  readonly timers?: number
  readonly check: (platform: readonly string[], instance: readonly string[]) => void
}

/** How many states there are. */
function exploreScript(script: Script, expected: Expected): number {
  const { ringBytes = 64, isPatient = true, isStuck = false, timers = 0, check } = expected
  return explore({
    ringBytes,
    threads: [
      thread => script(new Platform(thread)),
      thread => {
        let now = 0
        instance(thread, () => (isPatient ? 0 : now++ * 1000))
      },
    ],
    atEnd: ({ notes, returned, timers: used }: ModelEnd) => {
      assert.equal(returned[0], !isStuck, `the platform waits: ${notes.join(' | ')}`)
      assert.ok(used <= timers, 'only a timer went on')
      check(notes[0] ?? [], notes[1] ?? [])
    },
  })
}

const allAnswered =
  (...calls: number[]): Expected['check'] =>
  (platform, instance) => {
    assert.deepEqual(
      platform,
      calls.map(call => `answered ${call}`),
    )
    assert.deepEqual(
      instance,
      calls.map(call => `ran ${call}`),
    )
  }

/** Every job was either run and answered, or withdrawn. */
const eachOnce =
  (...calls: number[]): Expected['check'] =>
  (platform, instance) => {
    const withdrawn = calls.filter(call => platform.includes(`withdrew ${call}`))
    const ran = calls.filter(call => !withdrawn.includes(call))
    assert.deepEqual(
      instance,
      ran.map(call => `ran ${call}`),
    )
    assert.deepEqual(
      platform.filter(note => note.startsWith('answered')),
      ran.map(call => `answered ${call}`),
    )
  }

interface Scenario extends Expected {
  readonly name: string
  readonly script: Script
  readonly isLong?: boolean
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'one job is run and answered',
    script: platform => {
      platform.post(1, [1, 2, 3])
      platform.attendAll()
    },
    check: allAnswered(1),
  },
  {
    name: 'a batch is answered as far as there is room, and told of at once',
    script: platform => {
      platform.post(1, [1, 2, 3], [4])
      platform.attendAll()
    },
    isPatient: false,
    ringBytes: 32,
    check: allAnswered(1),
  },
  {
    name: 'answers that are more than the lane takes wait for room',
    script: platform => {
      platform.post(1, [], [], [])
      platform.attendAll()
    },
    ringBytes: 32,
    isLong: true,
    check: allAnswered(1),
  },
  {
    name: 'an input and its answer go through a lane that is smaller than their heads and they',
    script: platform => {
      platform.post(1, [1, 2, 3, 4, 5])
      platform.attendAll()
    },
    ringBytes: 16,
    check: allAnswered(1),
  },
  {
    name: 'an input that is larger than the lane goes through it in parts',
    script: platform => {
      platform.post(REFUSED, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
      platform.attendAll()
    },
    ringBytes: 16,
    isLong: true,
    check: allAnswered(REFUSED),
  },
  {
    name: 'a job that comes when the one before is answered is run',
    script: platform => {
      platform.post(1, [1])
      platform.attendAll()
      platform.post(2, [2])
      platform.attendAll()
    },
    ringBytes: 32,
    isLong: true,
    check: allAnswered(1, 2),
  },
  {
    name: 'what is left of a job that was refused is passed over',
    script: platform => {
      platform.post(REFUSED, [1], [2])
      platform.attendAll()
    },
    ringBytes: 16,
    isLong: true,
    check: allAnswered(REFUSED),
  },
  {
    name: 'a job is either run or withdrawn',
    script: platform => {
      platform.post(1, [1])
      const second = platform.post(2, [2])
      platform.withdraw(second)
      platform.attendAll()
    },
    check: eachOnce(1, 2),
  },
  {
    name: 'an answer before a job that never ends is not lost',
    script: platform => {
      platform.post(1, [1])
      platform.post(ENDLESS, [2])
      platform.attendAll()
    },
    isStuck: true,
    // It is the timer that finds it.
    timers: 2,
    check: platform => assert.deepEqual(platform, ['answered 1']),
  },
  {
    name: 'two jobs at once are run and answered',
    script: platform => {
      platform.post(1, [1])
      platform.post(2, [2])
      platform.attendAll()
    },
    check: allAnswered(1, 2),
  },
  {
    name: 'what is posted after a job was withdrawn is run',
    script: platform => {
      platform.post(1, [1])
      const second = platform.post(2, [2])
      platform.withdraw(second)
      platform.post(3, [3])
      platform.attendAll()
    },
    ringBytes: 128,
    isLong: true,
    check: eachOnce(1, 2, 3),
  },
]

const runsLong = process.env['CASEMATE_LONG_TESTS'] === '1'

for (const { name, script, isLong = false, ...expected } of SCENARIOS) {
  const skip = isLong && !runsLong ? 'takes long: CASEMATE_LONG_TESTS=1' : false
  test(name, { skip }, t => {
    t.diagnostic(`${exploreScript(script, expected)} states`)
  })
}
