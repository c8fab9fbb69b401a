// A service whose enclave has to be given something sealed before it answers, and again whenever its memory was lost.
// Clients reach the calls that are meant for them, and only while what they need is loaded.
import { type Enclave, EnclaveError } from '@casemate/enclave'
import type { Service, ServiceContext } from './service.ts'

export interface Loading {
  /** Calls that are for clients; loading is not. */
  readonly calls: readonly string[]
  readonly load: () => Promise<unknown>
}

/** Resolves once the first load is done. @throws whatever `load` throws */
export async function loadedService(
  enclave: Enclave,
  { onReplaced }: Pick<ServiceContext, 'onReplaced'>,
  { calls, load }: Loading,
): Promise<Service> {
  let loaded = load()
  await loaded
  onReplaced(() => {
    loaded = load()
    // Whoever calls is told; nobody has to.
    loaded.catch(() => undefined)
  })
  const admit = async (name: string): Promise<void> => {
    if (!calls.includes(name)) throw new EnclaveError('function-unknown', `${name} is not for clients`)
    await loaded
  }
  return {
    target: {
      call: async (name, input, options) => {
        await admit(name)
        return enclave.call(name, input, options)
      },
      callBatch: async (name, inputs) => {
        await admit(name)
        return enclave.callBatch(name, inputs)
      },
    },
    close: async () => undefined,
  }
}
