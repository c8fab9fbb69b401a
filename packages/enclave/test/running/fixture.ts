// Enclaves that tests run: started, listened to, and closed again.
import type { TestContext } from 'node:test'
import { Enclave, type EnclaveOptions } from '../../src/running/enclave.ts'
import type { EnclaveEvent, LogLine } from '../../src/running/platform.ts'
import { FUNCTIONS, makeImage, type TestEnclave } from './modules.ts'

export interface Running {
  readonly enclave: Enclave
  readonly events: EnclaveEvent[]
  readonly lines: LogLine[]
  /** Resolves with the next event of this type. */
  readonly next: (type: EnclaveEvent['type']) => Promise<EnclaveEvent>
}

/** Starts an image, and closes it after the test. */
export async function run(
  t: TestContext,
  what: TestEnclave,
  options: Partial<EnclaveOptions> = {},
): Promise<Running> {
  const events: EnclaveEvent[] = []
  const lines: LogLine[] = []
  const waiting = new Map<string, (event: EnclaveEvent) => void>()
  const enclave = await Enclave.create(makeImage(what), {
    platform: {
      sealing: null,
      secrets: new Map(),
      log: line => lines.push(line),
      report: event => {
        events.push(event)
        waiting.get(event.type)?.(event)
      },
    },
    debug: false,
    signers: 'any',
    measurement: 'any',
    ...options,
  })
  t.after(() => enclave.close())
  const next: Running['next'] = type => {
    const past = events.find(event => event.type === type)
    return past === undefined ? new Promise(resolve => waiting.set(type, resolve)) : Promise.resolve(past)
  }
  return { enclave, events, lines, next }
}

export const functions = (...names: string[]): TestEnclave => ({
  functions: names.map(name => FUNCTIONS[name]!),
})
export const bytes = (value: string): Uint8Array => new TextEncoder().encode(value)
