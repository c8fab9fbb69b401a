// An enclave that answers calls over attested channels.
import type { CallOptions } from '@casemate/enclave'
import { DEFAULT_HANDSHAKE_TIMEOUT_MS } from '../session/establish.ts'
import { type AttestedListener, type ListenOptions, listenAttested } from '../session/listen.ts'
import { Serving } from './serving.ts'
import { DEFAULT_WIRE_LIMITS, ENCLAVE_PROTOCOL, type WireLimits } from './wire.ts'

/** What answers: an `Enclave`, or something around one. */
export interface CallTarget {
  readonly call: (name: string, input: Uint8Array, options: CallOptions) => Promise<Uint8Array>
  readonly callBatch: (
    name: string,
    inputs: readonly Uint8Array[],
    options?: CallOptions,
  ) => Promise<readonly Uint8Array[]>
}

export interface ServeEnclaveOptions extends Omit<ListenOptions, 'onConnection' | 'protocol'> {
  readonly enclave: CallTarget
  /** Default {@link DEFAULT_WIRE_LIMITS}; of each connection. */
  readonly limits?: Partial<WireLimits>
  /** Told of calls that failed for other reasons than the enclave's; the client learns only that they did. */
  readonly onError?: (error: unknown) => void
}

/** An {@link AttestedListener} whose clients call. */
export type EnclaveServer = AttestedListener

/** Resolves once it listens. @throws {ChannelError} address-unavailable, identity-expired */
export async function serveEnclave(options: ServeEnclaveOptions): Promise<EnclaveServer> {
  const { enclave, limits: given, onError = () => undefined, ...listen } = options
  const limits = { ...DEFAULT_WIRE_LIMITS, ...given }
  const timeoutMs = listen.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS
  const settings = { enclave, limits, timeoutMs, onError }
  return listenAttested({
    ...listen,
    protocol: ENCLAVE_PROTOCOL,
    onConnection: connection => new Serving(connection, settings).start(),
  })
}
