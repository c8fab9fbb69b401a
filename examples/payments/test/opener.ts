// Opens enclaves on the real platform for the tests of the server, and makes them fail where a test says so.
import { Enclave, type EnclaveEvent, type SealingRoot } from '@casemate/enclave'

export interface Provoking {
  readonly callMs?: number
  readonly report?: (event: EnclaveEvent) => void
  /** The failure in place of a call; null for the call itself. */
  readonly instead?: (name: string) => number | null
}

export function openerOf(
  image: Uint8Array,
  root: SealingRoot,
  options: Provoking = {},
): () => Promise<Enclave> {
  const { callMs = 10_000, report = () => undefined, instead = () => null } = options
  return async () => {
    const enclave = await Enclave.create(image, {
      platform: { sealing: root, secrets: new Map(), report, log: () => undefined },
      debug: false,
      signers: 'any',
      measurement: 'any',
      limits: { callMs },
    })
    const call: Enclave['call'] = (name, input, settings) => {
      const mode = instead(name)
      return mode === null
        ? enclave.call(name, input, settings)
        : enclave.call('provoke', Uint8Array.of(mode))
    }
    return { call, close: () => enclave.close() } as unknown as Enclave
  }
}
