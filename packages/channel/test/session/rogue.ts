// The attacker of these tests: a TLS endpoint that shows whatever certificate and sends whatever frames it is told to.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { type ConnectionOptions, connect, createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { CHANNEL_PROTOCOL } from '../../src/index.ts'
import { encodeFrame, FRAME, type Frame, FrameReader } from '../../src/session/frames.ts'
import { encodeHello, type Hello } from '../../src/session/hello.ts'

/** Answers whoever connects to it. */
export async function rogueServer(
  t: TestContext,
  options: TlsOptions,
  serve: (socket: TLSSocket) => unknown,
): Promise<{ readonly host: string; readonly port: number }> {
  const sockets: TLSSocket[] = []
  const server = createServer(
    { requestCert: true, rejectUnauthorized: false, ALPNProtocols: [CHANNEL_PROTOCOL], ...options },
    socket => {
      sockets.push(socket)
      socket.on('error', () => undefined)
      void Promise.resolve(serve(socket)).catch(() => undefined)
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

/** Connects, and is on its own from there. */
export async function rogueClient(
  t: TestContext,
  to: { readonly host: string; readonly port: number },
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const socket = connect({ ...to, rejectUnauthorized: false, ALPNProtocols: [CHANNEL_PROTOCOL], ...options })
  socket.on('error', () => undefined)
  t.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

export const CACHED: Hello = { demands: 'cached' }

export function sendHello(socket: TLSSocket, hello: Hello = CACHED): void {
  socket.write(encodeFrame(FRAME.hello, encodeHello(hello)))
}

/** A frame as it came. */
export function forward(socket: TLSSocket, { type, body }: Frame): void {
  socket.write(encodeFrame(type as never, body))
}

export function framesOf(socket: TLSSocket): FrameReader {
  return new FrameReader(socket)
}

/** The code that the other side refuses with. */
export async function refusalOf(reader: FrameReader): Promise<string> {
  for (;;) {
    const { type, body } = await reader.next()
    if (type === FRAME.refused) return Buffer.from(body).toString('latin1')
  }
}

/** A binding frame of this signature and evidence. */
export function bindingFrame(signature: Uint8Array, evidence: Uint8Array = new Uint8Array()): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16LE(signature.length)
  return encodeFrame(FRAME.binding, length, signature, evidence)
}

export function sendBinding(socket: TLSSocket, signature: Uint8Array, evidence?: Uint8Array): void {
  socket.write(bindingFrame(signature, evidence))
}
