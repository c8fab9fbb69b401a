// The thread of one instance: instantiates the module with the declared imports and nothing else, then answers calls.
// The code sees its own memory and these imports; what it does wrong ends here as a fault, and the platform ends it.
import { randomFillSync } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { freeBuffer } from '../bytes.ts'
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
import {
  type CallMessage,
  type InstanceData,
  type InstanceMessage,
  packBytes,
  unpackBytes,
} from './messages.ts'
import { offerImports } from './worker-imports.ts'

/** Lines that one call may log: a loop of nothing but logging must not fill the platform's memory. */
const MAX_LOG_LINES = 64

type Call = (pointer: number, length: number) => bigint

const data = workerData as InstanceData
let linesLeft = MAX_LOG_LINES
const { memory, functions } = start()
parentPort?.on('message', serve)
send({ type: 'ready' })

function start(): { memory: InstanceMemory; functions: ReadonlyMap<string, Call> } {
  try {
    return instantiate()
  } catch (error) {
    fault(error)
    // Nothing is served; the platform ends this thread.
    throw error
  }
}

function instantiate(): { memory: InstanceMemory; functions: ReadonlyMap<string, Call> } {
  const memory = new InstanceMemory()
  const offered = offerImports({
    memory,
    configuration: new Map(Object.entries(data.configuration)),
    secrets: data.secrets,
    log: text => {
      if (linesLeft-- > 0) send({ type: 'log', text })
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
  return { memory, functions: new Map(data.exports.map(name => [name, exports[name] as Call])) }
}

function serve({ name, inputs }: CallMessage): void {
  linesLeft = MAX_LOG_LINES
  try {
    const call = functions.get(name)
    if (call === undefined) throw new TypeError('no such function')
    const outputs: Uint8Array<ArrayBuffer>[] = []
    for (const [index, input] of unpackBytes(inputs).entries()) {
      const output = answer(call, input)
      if (typeof output === 'number') {
        send({ type: 'refused', index, status: output })
        return
      }
      outputs.push(output)
    }
    const [only] = outputs
    const packed =
      only !== undefined && outputs.length === 1
        ? { bytes: only.buffer, lengths: Uint32Array.of(only.length) }
        : packBytes(outputs)
    send({ type: 'answered', outputs: packed }, [packed.bytes])
  } catch (error) {
    fault(error)
  } finally {
    freeBuffer(new Uint8Array(inputs.bytes))
  }
}

/** A copy of the result, or the status that the function answered with. */
function answer(call: Call, input: Uint8Array): Uint8Array<ArrayBuffer> | number {
  const given = memory.put(input)
  const result = unpack(call(given.pointer, given.length))
  if (result.pointer === 0 && result.length !== 0) {
    memory.release(given)
    return result.length
  }
  const output = memory.copy(result)
  const isInPlace = result.pointer >= given.pointer && result.pointer < given.pointer + given.length
  if (!isInPlace) memory.release(result)
  memory.release(given)
  return output
}

function fault(error: unknown): void {
  const code: EnclaveErrorCode = error instanceof NoMemory ? 'out-of-memory' : 'enclave-crashed'
  send({ type: 'fault', code, message: error instanceof Error ? error.message : String(error) })
}

function send(message: InstanceMessage, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer)
}
