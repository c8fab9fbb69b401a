// Waiting until a server listens.
import type { Server } from 'node:net'
import { ChannelError } from '../errors.ts'

/** @throws {ChannelError} address-unavailable */
export function listening(
  server: Server,
  at: { readonly host: string; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void =>
      reject(
        new ChannelError('address-unavailable', `cannot listen on ${at.host}:${at.port}: ${cause.message}`, {
          cause,
        }),
      )
    server.once('error', fail)
    server.listen(at.port, at.host, () => {
      server.off('error', fail)
      resolve()
    })
  })
}
