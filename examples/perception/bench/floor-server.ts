// The other end of the floor: reads frames off a connection, decrypts each in one pass, and answers with as many bytes as
// the enclave does. No seal, no instance, no detector: only what nobody can do without.
import { createDecipheriv, createSecretKey, type DecipherGCM, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type Opened, serveParent } from '../../stage/child.ts'
import { ANSWER_SIZE, FRAME_SIZE } from '../frame.ts'
import { CIPHER, free, nonceOf, TAG_SIZE } from './floor.ts'

export interface FloorStart {
  /** 32 bytes. */
  readonly key: Uint8Array
}

export interface FloorReady {
  readonly port: number
}

const ANSWER = new Uint8Array(ANSWER_SIZE)

/** Decrypts piece by piece as they come: nothing is put together first. */
class Frames {
  readonly #socket: Socket
  readonly #key: KeyObject
  #sequence = 0
  #decipher: DecipherGCM
  #missing = FRAME_SIZE
  #tag = Buffer.alloc(0)

  constructor(socket: Socket, key: KeyObject) {
    this.#socket = socket
    this.#key = key
    this.#decipher = this.#next()
  }

  push(chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0; ) {
      const part = rest.subarray(0, this.#missing > 0 ? this.#missing : TAG_SIZE - this.#tag.length)
      if (this.#missing > 0) {
        free(this.#decipher.update(part))
        this.#missing -= part.length
      } else this.#tag = Buffer.concat([this.#tag, part])
      rest = rest.subarray(part.length)
      if (this.#tag.length === TAG_SIZE) this.#finish()
    }
  }

  #finish(): void {
    this.#decipher.setAuthTag(this.#tag).final()
    this.#socket.write(ANSWER)
    this.#tag = Buffer.alloc(0)
    this.#missing = FRAME_SIZE
    this.#decipher = this.#next()
  }

  #next(): DecipherGCM {
    return createDecipheriv(CIPHER, this.#key, nonceOf(this.#sequence++), { authTagLength: TAG_SIZE })
  }
}

await serveParent(async ({ key }: FloorStart): Promise<Opened<FloorReady>> => {
  const secret = createSecretKey(key)
  const server = createServer({ noDelay: true }, socket => {
    const frames = new Frames(socket, secret)
    socket.on('data', (chunk: Buffer) => frames.push(chunk))
    socket.on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    ready: { port: (server.address() as AddressInfo).port },
    close: async () => void server.close(),
  }
})
