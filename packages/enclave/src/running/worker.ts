// The thread of one instance: instantiates the module with the declared imports and nothing else, then answers calls.
// The code sees its own memory and these imports; what it does wrong ends here as a fault, and the platform ends it.
import { randomFillSync } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import type { EnclaveErrorCode } from '../errors.ts'
import {
  ALLOC_EXPORT,
  FREE_EXPORT,
  type ImportName,
  INITIALIZE_EXPORT,
  MEMORY_EXPORT,
  unpack,
} from './abi.ts'
import { InstanceMemory, NoMemory } from './instance-memory.ts'
import { type Claimed, InstanceEnd } from './lane/instance-end.ts'
import { SharedRing, SharedWords } from './lane/memory.ts'
import { SpinWait } from './lane/spin-wait.ts'
import type { InstanceData, InstanceMessage } from './messages.ts'
import { offerImports } from './worker-imports.ts'

/** Lines that one call may log: a loop of nothing but logging must not fill the platform's memory. */
const MAX_LOG_LINES = 64

type Call = (pointer: number, length: number) => bigint

const data = workerData as InstanceData
const rings = { requests: new SharedRing(data.lane.requests), replies: new SharedRing(data.lane.replies) }
const lane = new InstanceEnd(new SharedWords(data.lane.words), rings, {
  ringDoorbell: () => send({ type: 'doorbell' }),
  now: () => performance.now(),
  spin: new SpinWait(data.spins),
})
let linesLeft = MAX_LOG_LINES
const { memory, functions } = start()
send({ type: 'ready' })
work()

function start(): { memory: InstanceMemory; functions: readonly Call[] } {
  try {
    return instantiate()
  } catch (error) {
    fault(error)
    // Nothing is served; the platform ends this thread.
    throw error
  }
}

function instantiate(): { memory: InstanceMemory; functions: readonly Call[] } {
  const memory = new InstanceMemory()
  const offered = offerImports({
    memory,
    configuration: new Map(Object.entries(data.configuration)),
    secrets: data.secrets,
    log: line => {
      if (linesLeft-- > 0) lane.log(line)
    },
    random: randomFillSync,
    sealing: data.sealing,
  })
  const imports: Record<string, Record<string, unknown>> = {}
  for (const name of data.imports) {
    const [module = '', ...rest] = name.split('.')
    const group = (imports[module] ??= {})
    group[rest.join('.')] = offered[name as ImportName]
  }
  const { exports } = new WebAssembly.Instance(data.module, imports)
  memory.attach({
    memory: exports[MEMORY_EXPORT] as WebAssembly.Memory,
    alloc: exports[ALLOC_EXPORT] as (length: number) => number,
    free: exports[FREE_EXPORT] as (pointer: number, length: number) => void,
  })
  const initialize = exports[INITIALIZE_EXPORT] as (() => void) | undefined
  initialize?.()
  return { memory, functions: data.exports.map(name => exports[name] as Call) }
}

/** Job after job, for as long as the code does nothing wrong. The thread sleeps where there is none. */
function work(): void {
  try {
    for (;;) serve(lane.next())
  } catch (error) {
    fault(error)
  }
}

function serve({ call, inputs }: Claimed): void {
  linesLeft = MAX_LOG_LINES
  const run = functions[call]
  if (run === undefined) throw new TypeError('no such function')
  for (let left = inputs; left > 0; left--) {
    const status = answer(run)
    if (status === 0) continue
    lane.refuse(status)
    while (--left > 0) lane.skipInput(lane.inputLength())
    return
  }
}

/** 0, or the status that the function answered with instead of bytes. */
function answer(run: Call): number {
  const given = memory.makeRoom(lane.inputLength())
  if (given.length > 0) lane.takeInput(memory.view(given))
  const result = unpack(run(given.pointer, given.length))
  if (result.pointer === 0 && result.length !== 0) {
    memory.release(given)
    return result.length
  }
  lane.answer(memory.view(result))
  const isInPlace = result.pointer >= given.pointer && result.pointer < given.pointer + given.length
  if (!isInPlace) memory.release(result)
  memory.release(given)
  return 0
}

function fault(error: unknown): void {
  const code: EnclaveErrorCode = error instanceof NoMemory ? 'out-of-memory' : 'enclave-crashed'
  send({ type: 'fault', code, message: error instanceof Error ? error.message : String(error) })
}

function send(message: InstanceMessage): void {
  parentPort?.postMessage(message, [])
}
