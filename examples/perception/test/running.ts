// The enclave as a test runs it: signed once for each file, in this process, without broker and channel.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Enclave, identityOf, openBrokerRoot, parseImage, signImage, verifyImage } from '@casemate/enclave'
import { builtOnce } from '../../../packages/enclave/test/building/built-once.ts'
import { SIGNING } from '../../../packages/enclave/test/image/keys.ts'
import { CALIBRATION, type Calibration } from '../calibration.ts'
import { sealCalibration } from '../camera.ts'
import { type Answer, type CameraKeys, parseAnswer, sealFrame } from '../frame.ts'

const ENTRY = join(import.meta.dirname, '..', 'assembly', 'enclave.ts')
const image = signImage(await builtOnce({ entry: ENTRY }), {
  privateKey: SIGNING.privateKey,
  date: '20261125',
})
const key = createHash('sha256').update('the frame key of the tests').digest()

export const ROOT = openBrokerRoot({ path: 'perception/key/frames', key })
const parsed = parseImage(image)
export const KEYS: CameraKeys = { root: ROOT, identity: identityOf(parsed, verifyImage(parsed)) }

const NOTHING = new Uint8Array()

export class RunningEnclave {
  readonly enclave: Enclave
  #streamId = NOTHING
  #sequence = 0n

  private constructor(enclave: Enclave) {
    this.enclave = enclave
  }

  /** Calibrated, where a calibration is given, with one stream open. */
  static async start(t: TestContext, calibration: Calibration | null = CALIBRATION): Promise<RunningEnclave> {
    const enclave = await Enclave.create(image, {
      platform: { sealing: ROOT, secrets: new Map(), log: () => undefined, report: () => undefined },
      debug: false,
      signers: 'any',
      measurement: 'any',
    })
    t.after(() => enclave.close())
    const running = new RunningEnclave(enclave)
    if (calibration !== null) await running.calibrate(calibration)
    running.#streamId = await running.open()
    return running
  }

  async calibrate(calibration: Calibration): Promise<void> {
    await this.enclave.call('calibrate', sealCalibration(calibration, KEYS))
  }

  async open(): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await this.enclave.call('open', NOTHING))
  }

  async send(sealed: Uint8Array): Promise<Answer> {
    return parseAnswer(await this.enclave.call('detect', sealed))
  }

  /** The next frame of the stream. */
  detect(pixels: Uint8Array): Promise<Answer> {
    return this.send(sealFrame(pixels, { streamId: this.#streamId, sequence: this.#sequence++ }, KEYS))
  }
}
