// The camera: seals each frame for the enclave, and sends it as a sealed call, several under way at a time.
import { seal } from '@casemate/enclave'
import { type Calibration, encodeCalibration } from './calibration.ts'
import { type Answer, type CameraKeys, parseAnswer, sealFrame } from './frame.ts'

/** The enclave at the other end of a channel, or one in this process. */
export interface EnclaveCalls {
  readonly call: (name: string, input: Uint8Array) => Promise<Uint8Array>
  readonly callSealed: (name: string, blob: Uint8Array) => Promise<Uint8Array>
}

const NOTHING = new Uint8Array()

/** The calibration of a camera, sealed for whoever signed the enclave. */
export function sealCalibration(calibration: Calibration, keys: CameraKeys): Uint8Array {
  return seal(encodeCalibration(calibration), { ...keys, policy: 'mrSigner', additionalData: NOTHING })
}

export class Camera {
  readonly #enclave: EnclaveCalls
  readonly #keys: CameraKeys
  readonly #streamId: Uint8Array
  #sequence = 0n
  #sealingMs = 0

  private constructor(enclave: EnclaveCalls, keys: CameraKeys, streamId: Uint8Array) {
    this.#enclave = enclave
    this.#keys = keys
    this.#streamId = streamId
  }

  /** Begins a stream of frames. */
  static async open(enclave: EnclaveCalls, keys: CameraKeys): Promise<Camera> {
    return new Camera(enclave, keys, await enclave.call('open', NOTHING))
  }

  /** Spent on sealing so far. */
  get sealingMs(): number {
    return this.#sealingMs
  }

  /** The next frame. @throws {RangeError} if the answer is to another one */
  async send(pixels: Uint8Array): Promise<Answer> {
    const sequence = this.#sequence++
    const startedAt = performance.now()
    const sealed = sealFrame(pixels, { streamId: this.#streamId, sequence }, this.#keys)
    this.#sealingMs += performance.now() - startedAt
    const answer = parseAnswer(await this.#enclave.callSealed('detect', sealed))
    // Sent, and of no more use: without this, frames are what the garbage collector of a camera is busy with.
    if (sealed.buffer instanceof ArrayBuffer) sealed.buffer.transfer(0)
    if (answer.status === 'looked-at' && answer.sequence !== sequence)
      throw new RangeError(`frame ${sequence} has the answer to frame ${answer.sequence}`)
    return answer
  }
}

export interface Stream {
  /** One after the other, and again from the first. */
  readonly pictures: readonly Uint8Array[]
  readonly frames: number
  /** Frames that are not answered yet. */
  readonly inFlight: number
  readonly onAnswer: (answer: Answer, picture: number) => void
}

/** Sends frames as fast as they are answered. */
export async function stream(
  camera: Camera,
  { pictures, frames, inFlight, onAnswer }: Stream,
): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < frames) {
      const picture = next++ % pictures.length
      onAnswer(await camera.send(pictures[picture] ?? NOTHING), picture)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
}
