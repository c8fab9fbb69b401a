// The calibration of a camera: how it is mounted, and what counts as a line. It goes to the enclave sealed for its
// signer, so that the next version of the enclave can open it too; assembly/settings.ts checks every number.

/** In the order of their bytes. Columns and rows are those of a frame of 512 by 288. */
const FIELDS = [
  'horizonRow',
  'horizonColumn',
  'topRow',
  'contrast',
  'yellow',
  'maxRuns',
  'minRows',
  'minSpan',
  'maxDeviation',
  'leftFrom',
  'leftTo',
  'rightFrom',
  'rightTo',
  'minWidth',
  'maxWidth',
] as const
const MAGIC = new TextEncoder().encode('CMCALIB1')

export type Calibration = Readonly<Record<(typeof FIELDS)[number], number>>

/** Of the car that took the road pictures, and of the one that drives through drawn scenes. */
export const CALIBRATION: Calibration = {
  horizonRow: 165,
  horizonColumn: 256,
  topRow: 184,
  contrast: 24,
  yellow: 40,
  maxRuns: 12,
  minRows: 12,
  minSpan: 30,
  maxDeviation: 16,
  leftFrom: -64,
  leftTo: 208,
  rightFrom: 304,
  rightTo: 576,
  minWidth: 240,
  maxWidth: 520,
}

/** The input of `calibrate`, before it is sealed. */
export function encodeCalibration(calibration: Calibration): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(MAGIC.length + FIELDS.length * 2)
  const view = new DataView(bytes.buffer)
  bytes.set(MAGIC)
  for (const [index, field] of FIELDS.entries())
    view.setInt16(MAGIC.length + index * 2, calibration[field], true)
  return bytes
}
