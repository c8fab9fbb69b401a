// Perception: finds the lane in camera frames that only this code can open. Three calls:
//   calibrate  a sealed calibration   → nothing
//   open       nothing                → the id of a new stream, 16 bytes
//   detect     a sealed frame         → its answer, 52 bytes; what is wrong with a frame stands there
import { fail, unseal } from 'casemate'
import { ANSWER_SIZE, answerFrame } from './frames'
import { isCalibrated, setSettings } from './settings'
import { openStream } from './streams'

/** Statuses of calls. */
const NOT_CALIBRATED: u32 = 1
const CALIBRATION_NOT_OPENED: u32 = 2
const CALIBRATION_REFUSED: u32 = 3

export function calibrate(sealed: Uint8Array): Uint8Array {
  const opened = unseal(sealed)
  if (opened.status != 0) return fail(CALIBRATION_NOT_OPENED)
  const isAccepted = setSettings(opened.plaintext.dataStart, opened.plaintext.length)
  return isAccepted ? new Uint8Array(0) : fail(CALIBRATION_REFUSED)
}

export function open(_: Uint8Array): Uint8Array {
  return openStream()
}

export function detect(sealed: Uint8Array): Uint8Array {
  if (!isCalibrated) return fail(NOT_CALIBRATED)
  const answer = new Uint8Array(ANSWER_SIZE)
  answerFrame(sealed, answer.dataStart)
  return answer
}
