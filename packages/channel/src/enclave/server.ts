// An enclave that answers calls over attested channels.
import { DEFAULT_HANDSHAKE_TIMEOUT_MS } from '../session/establish.ts'
import {
  type AttestedListener,
  DEFAULT_MAX_CONNECTIONS,
  type ListenOptions,
  listenAttested,
} from '../session/listen.ts'
import type { CallTarget } from './call-target.ts'
import { DataListener } from './data-listener.ts'
import { Serving } from './serving.ts'
import { DEFAULT_WIRE_LIMITS, ENCLAVE_PROTOCOL, type WireLimits } from './wire.ts'

export interface ServeEnclaveOptions extends Omit<ListenOptions, 'onConnection' | 'protocol'> {
  readonly enclave: CallTarget
  /** Default {@link DEFAULT_WIRE_LIMITS}; of each connection. */
  readonly limits?: Partial<WireLimits>
  /** Where data connections of sealed calls arrive, 0 for any free port. Default: there are none. */
  readonly dataPort?: number
  /** Told of calls that failed for other reasons than the enclave's; the client learns only that they did. */
  readonly onError?: (error: unknown) => void
}

/** An {@link AttestedListener} whose clients call. */
export type EnclaveServer = AttestedListener

/** Resolves once it listens. @throws {ChannelError} address-unavailable, identity-expired */
export async function serveEnclave(options: ServeEnclaveOptions): Promise<EnclaveServer> {
  const { enclave, limits: given, dataPort, onError = () => undefined, ...listen } = options
  const limits = { ...DEFAULT_WIRE_LIMITS, ...given }
  const timeoutMs = listen.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS
  const data = dataPort === undefined ? null : await openData(dataPort, listen, timeoutMs)
  const settings = { enclave, limits, timeoutMs, data, onError }
  try {
    const listener = await listenAttested({
      ...listen,
      protocol: ENCLAVE_PROTOCOL,
      onConnection: connection => new Serving(connection, settings).start(),
    })
    return { ...listener, close: async () => void (await Promise.all([listener.close(), data?.close()])) }
  } catch (error) {
    await data?.close()
    throw error
  }
}

function openData(
  port: number,
  {
    host,
    maxConnections = DEFAULT_MAX_CONNECTIONS,
    onRefused = () => undefined,
  }: Pick<ListenOptions, 'host' | 'maxConnections' | 'onRefused'>,
  timeoutMs: number,
): Promise<DataListener> {
  return DataListener.open({ host, port, timeoutMs, maxConnections, onRefused })
}
