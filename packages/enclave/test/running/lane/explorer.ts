// Runs two threads over the memory of a lane in every order in which their atomic steps can come, and reports what of
// it must not happen. The threads are the ends of a lane as they are: each step runs the thread's function again from its
// beginning, with what its earlier steps gave, until it comes to the next one. Plain bytes are no steps of their own; that
// this leaves nothing out is checked as well: what a thread did with them since its last step it might as well do now, and
// then nothing that the other does meanwhile may conflict with it.
import type { RingBytes, Words } from '../../../src/running/lane/memory.ts'
import type { LaneRings } from '../../../src/running/lane/platform-end.ts'

/** A thread of the model is given these. */
export interface ModelThread {
  readonly words: Words
  readonly rings: LaneRings
  /** Sends the other thread a message. */
  readonly ringDoorbell: () => void
  /** Waits for a message, or for a timer, which runs out only if nothing else can happen any more. */
  readonly event: () => 'message' | 'timer'
  /** Never returns. */
  readonly hang: () => void
  /** Remembers something, for the end. */
  readonly note: (text: string) => void
}

export interface Model {
  readonly ringBytes: number
  readonly threads: readonly ((thread: ModelThread) => void)[]
  /** Told of each way it can end. Throws where that is not how it may. */
  readonly atEnd: (end: ModelEnd) => void
}

export interface ModelEnd {
  readonly notes: readonly (readonly string[])[]
  /** Threads that returned; the others sleep, hang or wait. */
  readonly returned: readonly boolean[]
  readonly timers: number
}

type Step =
  | { readonly kind: 'load' | 'wake'; readonly word: number }
  | { readonly kind: 'store' | 'sleep'; readonly word: number; readonly value: number }
  | { readonly kind: 'swap'; readonly word: number; readonly expected: number; readonly value: number }
  | { readonly kind: 'ring' | 'event' | 'hang' }

type Result = number | readonly number[]
/** Bytes that a thread used since its last step. */
interface Access {
  readonly at: number
  readonly isWrite: boolean
}

interface ThreadState {
  readonly history: readonly Result[]
  /** Stands for the history. */
  readonly id: number
  readonly accesses: readonly Access[]
  /** Null if it has returned. */
  readonly step: Step | null
  readonly isAsleep: boolean
  readonly notes: readonly string[]
}

interface State {
  readonly words: ReadonlyMap<number, number>
  readonly bytes: readonly [Uint8Array, Uint8Array]
  readonly messages: number
  readonly timers: number
  readonly threads: readonly ThreadState[]
}

/** Ends a thread’s function at its next step; one for all of them, since a stack costs more than most steps do. */
const SUSPENDED = new Error('suspended')

/** How many states there are. @throws whatever must not happen, with the steps that lead there */
export function explore(model: Model): number {
  return new Explorer(model).run()
}

class Explorer {
  readonly #model: Model
  readonly #ids = new Map<string, number>()
  readonly #seen = new Set<string>()

  constructor(model: Model) {
    this.#model = model
  }

  run(): number {
    const start: ThreadState = { history: [], id: 0, accesses: [], step: null, isAsleep: false, notes: [] }
    let state: State = {
      words: new Map(),
      bytes: [new Uint8Array(this.#model.ringBytes), new Uint8Array(this.#model.ringBytes)],
      messages: 0,
      timers: 0,
      threads: [start, start],
    }
    for (const index of [0, 1]) state = this.#advance(state, index, null)
    const open: State[] = [state]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const key = keyOf(next)
      if (this.#seen.has(key)) continue
      this.#seen.add(key)
      open.push(...this.#successors(next))
    }
    return this.#seen.size
  }

  #successors(state: State): State[] {
    const runnable = [0, 1].filter(index => canRun(state, index))
    if (runnable.length > 0) return runnable.map(index => this.#step(state, index))
    const waiting = state.threads.findIndex(({ step }) => step?.kind === 'event')
    if (waiting >= 0 && state.timers < 2) {
      return [this.#advance({ ...state, timers: state.timers + 1 }, waiting, 0)]
    }
    this.#model.atEnd({
      notes: state.threads.map(({ notes }) => notes),
      returned: state.threads.map(({ step }) => step === null),
      timers: state.timers,
    })
    return []
  }

  /** One atomic step of one thread, and what it does until the next. */
  #step(state: State, index: number): State {
    const thread = state.threads[index]!
    const step = thread.step!
    const old = 'word' in step ? (state.words.get(step.word) ?? 0) : 0
    let next: State = withThread(state, index, { ...thread, isAsleep: false })
    let result = 0
    switch (step.kind) {
      case 'load':
        result = old
        break
      case 'store':
        next = withWord(next, step.word, step.value)
        break
      case 'swap':
        result = old === step.expected ? 1 : 0
        if (result === 1) next = withWord(next, step.word, step.value)
        break
      case 'sleep':
        if (old === step.value) return withThread(state, index, { ...thread, isAsleep: true })
        break
      case 'wake':
        return this.#advance(wakeOther(next, 1 - index, step.word), index, 0)
      case 'ring':
        next = { ...next, messages: next.messages + 1 }
        break
      case 'event':
        next = { ...next, messages: next.messages - 1 }
        result = 1
        break
      case 'hang':
        throw new Error('nobody steps over a thread that hangs')
      default:
        step satisfies never
    }
    return this.#advance(next, index, result)
  }

  /** Runs a thread to its next step, after one that gave this result. */
  #advance(state: State, index: number, result: number | null): State {
    const thread = state.threads[index]!
    const history: Result[] = result === null ? [...thread.history] : [...thread.history, result]
    const replay = new Replay(state, history)
    let step: Step | null = null
    try {
      this.#model.threads[index]!(replay.thread)
    } catch (error) {
      if (error !== SUSPENDED) throw error
      step = replay.step
    }
    const other = state.threads[1 - index]!
    const race = replay.accesses.find(one => other.accesses.some(access => conflicts(one, access)))
    if (race !== undefined) throw new Error(`a race for byte ${race.at}`)
    const id = this.#idOf(thread.id, history.slice(thread.history.length))
    return {
      ...state,
      bytes: replay.bytes,
      threads: state.threads.map((one, at) =>
        at === index
          ? { history, id, accesses: replay.accesses, step, isAsleep: false, notes: replay.notes }
          : one,
      ),
    }
  }

  #idOf(before: number, results: readonly Result[]): number {
    const key = `${before}:${results.join('/')}`
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    this.#ids.set(key, this.#ids.size + 1)
    return this.#ids.size
  }
}

const conflicts = (a: Access, b: Access): boolean => a.at === b.at && (a.isWrite || b.isWrite)

function withWord(state: State, word: number, value: number): State {
  return { ...state, words: new Map(state.words).set(word, value) }
}

function withThread(state: State, index: number, thread: ThreadState): State {
  return { ...state, threads: state.threads.map((one, at) => (at === index ? thread : one)) }
}

/** It goes on with the step that it sleeps in, as one that does not sleep any more. */
function wakeOther(state: State, other: number, word: number): State {
  const thread = state.threads[other]!
  const isSleeper = thread.isAsleep && thread.step?.kind === 'sleep' && thread.step.word === word
  return isSleeper
    ? withThread(state, other, { ...thread, isAsleep: false, step: { kind: 'load', word } })
    : state
}

function canRun({ threads, messages }: State, index: number): boolean {
  const { step, isAsleep } = threads[index]!
  if (step === null || isAsleep || step.kind === 'hang') return false
  return step.kind !== 'event' || messages > 0
}

function keyOf({ words, bytes, messages, timers, threads }: State): string {
  const sorted = [...words].toSorted(([a], [b]) => a - b)
  const rings = bytes.map(ring => Buffer.from(ring).toString('latin1')).join('')
  const rest = threads.map(({ id, isAsleep, step }) => `${id} ${isAsleep} ${step?.kind}`)
  return [sorted.flat().join(), messages, timers, ...rest, rings].join('|')
}

/** A thread’s function, run up to its first step that has no result yet. */
class Replay {
  readonly thread: ModelThread
  readonly notes: string[] = []
  readonly accesses: Access[] = []
  readonly bytes: [Uint8Array, Uint8Array]
  step: Step | null = null
  readonly #history: Result[]
  readonly #known: number
  #at = 0

  constructor(state: State, history: Result[]) {
    this.#history = history
    this.#known = history.length
    this.bytes = [state.bytes[0].slice(), state.bytes[1].slice()]
    this.thread = {
      words: this.#words(),
      rings: { requests: this.#ringBytes(0), replies: this.#ringBytes(1) },
      ringDoorbell: () => void this.#take({ kind: 'ring' }),
      event: () => (this.#take({ kind: 'event' }) === 1 ? 'message' : 'timer'),
      hang: () => void this.#take({ kind: 'hang' }),
      note: text => this.notes.push(text),
    }
  }

  #words(): Words {
    return {
      load: word => this.#take({ kind: 'load', word }),
      store: (word, value) => void this.#take({ kind: 'store', word, value }),
      swap: (word, expected, value) => this.#take({ kind: 'swap', word, expected, value }) === 1,
      sleep: (word, value) => void this.#take({ kind: 'sleep', word, value }),
      wake: word => void this.#take({ kind: 'wake', word }),
    }
  }

  #take(step: Step): number {
    if (this.#at < this.#known) return this.#history[this.#at++] as number
    this.step = step
    throw SUSPENDED
  }

  #ringBytes(ring: 0 | 1): RingBytes {
    const size = this.bytes[ring].length
    const read = (at: number, length: number): readonly number[] => {
      if (this.#at < this.#known) return this.#history[this.#at++] as readonly number[]
      const bytes = Array.from({ length }, (_, index) => this.bytes[ring][(at + index) % size]!)
      this.#access(ring, at, length, false)
      // From here on it is part of what the thread has seen.
      this.#history.push(bytes)
      return bytes
    }
    const write = (at: number, bytes: Uint8Array): void => {
      if (this.#at < this.#known) {
        this.#at++
        return
      }
      for (const [index, byte] of bytes.entries()) this.bytes[ring][(at + index) % size] = byte
      this.#access(ring, at, bytes.length, true)
      this.#history.push([])
    }
    return {
      size,
      word: at => Buffer.from(read(at, 4)).readUInt32LE(),
      setWord: (at, value) => {
        const word = Buffer.alloc(4)
        word.writeUInt32LE(value >>> 0)
        write(at, word)
      },
      read: (at, into) => into.set(read(at, into.length)),
      write,
    }
  }

  #access(ring: number, at: number, length: number, isWrite: boolean): void {
    const size = this.bytes[0].length
    for (let offset = 0; offset < length; offset += 4) {
      this.accesses.push({ at: ring * size + ((at + offset) % size), isWrite })
    }
  }
}
