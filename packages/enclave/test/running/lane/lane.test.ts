// A lane over real memory: what each end does alone, and that neither believes the other.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REPLY } from '../../../src/running/lane/frames.ts'
import { InstanceEnd } from '../../../src/running/lane/instance-end.ts'
import {
  DOORBELL,
  type LaneBuffers,
  MAX_JOBS,
  makeBuffers,
  SharedRing,
  SharedWords,
  WORD,
} from '../../../src/running/lane/memory.ts'
import { PlatformEnd, type Receiver } from '../../../src/running/lane/platform-end.ts'

const MAX_OUTPUT = 1000

interface Lane {
  readonly buffers: LaneBuffers
  readonly words: SharedWords
  readonly platform: PlatformEnd
  readonly instance: InstanceEnd
  /** The replies that were received, and how often the instance rang. */
  readonly outputs: number[][]
  readonly lines: string[]
  readonly statuses: number[]
  readonly receiver: Receiver & { expected: number }
  rung: number
  now: number
}

/** @param start of all positions in the rings */
function makeLane(ringBytes = 256, start = 0): Lane {
  const buffers = makeBuffers(ringBytes)
  const words = new SharedWords(buffers.words)
  for (const word of [WORD.posted, WORD.taken, WORD.answered, WORD.collected]) words.store(word, start | 0)
  const rings = { requests: new SharedRing(buffers.requests), replies: new SharedRing(buffers.replies) }
  const outputs: number[][] = []
  const lines: string[] = []
  const statuses: number[] = []
  const lane: Lane = {
    buffers,
    words,
    platform: new PlatformEnd(words, rings, MAX_OUTPUT),
    instance: new InstanceEnd(words, rings, {
      ringDoorbell: () => void lane.rung++,
      now: () => lane.now,
      spin: { wait: () => undefined, end: () => undefined },
    }),
    outputs,
    lines,
    statuses,
    receiver: {
      expected: 1,
      output: bytes => void outputs.push([...bytes]),
      refused: status => void statuses.push(status),
      log: bytes => void lines.push(Buffer.from(bytes).toString()),
    },
    rung: 0,
    now: 0,
  }
  return lane
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

function takeAll({ instance }: Lane): { readonly call: number; readonly inputs: number[][] } {
  const { call, inputs } = instance.next()
  return {
    call,
    inputs: Array.from({ length: inputs }, () => {
      const input = new Uint8Array(instance.inputLength())
      instance.takeInput(input)
      return [...input]
    }),
  }
}

test('requests and replies come through as they are, also where positions and rings begin again', () => {
  for (const start of [0, 2 ** 32 - 200, 2 ** 31 - 200]) {
    const lane = makeLane(256, start)
    for (let round = 0; round < 100; round++) {
      const inputs = [[], [round], [1, 2, 3, 4, 5, 6, 7, round]]
      lane.platform.post({ call: round, inputs: inputs.map(input => bytes(...input)) })
      assert.deepEqual(takeAll(lane), { call: round, inputs })
      for (const input of inputs) lane.instance.answer(bytes(...input))
      lane.receiver.expected = round % 2 === 0 ? 1 : inputs.length
      lane.platform.attend(lane.receiver)
      assert.deepEqual(lane.outputs.splice(0), inputs)
    }
  }
})

test('lines, refusals and outputs come in the order in which they were given', () => {
  const lane = makeLane()
  lane.receiver.expected = 3
  lane.instance.answer(bytes(1))
  lane.instance.log(Buffer.from('Zürich'))
  lane.instance.answer(bytes(2))
  lane.instance.refuse(77)
  lane.platform.attend(lane.receiver)
  assert.deepEqual([lane.outputs, lane.lines, lane.statuses], [[[1], [2]], ['Zürich'], [77]])
})

test('the instance tells a patient platform after a while, an impatient one and of a line at once, others never', () => {
  const lane = makeLane()
  lane.instance.answer(bytes(1))
  assert.equal(lane.rung, 0)
  lane.platform.listen(DOORBELL.patient)
  lane.instance.answer(bytes(1))
  assert.equal(lane.rung, 0)
  lane.now = 2
  lane.instance.answer(bytes(1))
  assert.equal(lane.rung, 1)
  lane.now = 4
  lane.instance.answer(bytes(1))
  assert.equal(lane.rung, 1, 'it was told already')
  lane.platform.listen(DOORBELL.urgent)
  lane.instance.answer(bytes(1))
  assert.equal(lane.rung, 2)
  lane.platform.listen(DOORBELL.patient)
  lane.instance.log(bytes(65))
  assert.equal(lane.rung, 3)
})

test('what was withdrawn is passed over, however many claims were used again meanwhile', () => {
  const lane = makeLane(16 * 4 * MAX_JOBS)
  for (let job = 0; job < 2 * MAX_JOBS; job++) {
    const posted = lane.platform.post({ call: job, inputs: [bytes(job & 255)] })
    assert.ok(lane.platform.withdraw(posted))
    assert.ok(!lane.platform.withdraw(posted))
    assert.deepEqual(lane.platform.readBack(posted), [bytes(job & 255)])
  }
  const last = lane.platform.post({ call: 7, inputs: [bytes(7)] })
  assert.deepEqual(takeAll(lane), { call: 7, inputs: [[7]] })
  assert.ok(!lane.platform.withdraw(last))
})

test('what came in parts is not withdrawn', () => {
  const lane = makeLane(64)
  const posted = lane.platform.post({ call: 1, inputs: [new Uint8Array(200)] })
  assert.ok(lane.platform.isWriting)
  assert.ok(!lane.platform.withdraw(posted))
})

/** An instance that writes what it likes: position of replies, then words from the beginning of their ring. */
function nonsense(answered: number, ...words: number[]): Lane {
  const lane = makeLane()
  new Uint32Array(lane.buffers.replies).set(words)
  lane.words.store(WORD.answered, answered)
  return lane
}

test('the platform refuses what no instance may write', () => {
  for (const [answered, ...words] of [
    [257],
    [260, REPLY.output],
    [6, REPLY.output, 0],
    [-4, REPLY.output, 0],
    [8, REPLY.output, MAX_OUTPUT + 1],
    [8, REPLY.output, 0xffff_ffff],
    [8, REPLY.log, 4097],
    [8, 0, 0],
    [8, 4, 0],
  ] as const) {
    for (const expected of [1, 5]) {
      const lane = nonsense(answered, ...words)
      lane.receiver.expected = expected
      assert.throws(() => lane.platform.attend(lane.receiver), { name: 'LaneBroken' })
    }
  }
})

test('an instance that says it has read more than there was gets nothing, and the platform goes on', () => {
  const lane = makeLane()
  lane.platform.post({ call: 1, inputs: [bytes(1)] })
  lane.words.store(WORD.taken, 1000)
  assert.ok(!lane.platform.fits([new Uint8Array(236)]))
  lane.platform.post({ call: 1, inputs: [new Uint8Array(236)] })
  assert.ok(lane.platform.isWriting)
})

test('the instance refuses a request of which a part was withdrawn', () => {
  const lane = makeLane()
  lane.platform.post({ call: 1, inputs: [bytes(1)] })
  lane.words.store(WORD.claims, 2)
  for (const size of [0, 12, 1000]) {
    new Uint32Array(lane.buffers.requests)[1] = size
    assert.throws(() => lane.instance.next(), { name: 'LaneBroken' })
  }
})

test('what is answered after the platform has looked is there when it attends', () => {
  const lane = makeLane()
  for (const value of [1, 2]) lane.platform.post({ call: 0, inputs: [bytes(value)] })
  takeAll(lane)
  lane.instance.answer(bytes(1))
  assert.equal(lane.platform.listen(DOORBELL.patient), true)
  takeAll(lane)
  lane.instance.answer(bytes(2))
  lane.platform.attend(lane.receiver)
  assert.deepEqual(lane.outputs, [[1], [2]])
})
