// Road pictures as a camera would give them: photographs of a folder where there is one, else drawn scenes.
import { join } from 'node:path'
import { decode } from 'jpeg-js'
import { PartyFailed } from '../stage/child.ts'
import { namesInFolder, readInputFile } from '../stage/input-files.ts'
import { HEIGHT, WIDTH } from './frame.ts'
import { drawRoad } from './road.ts'

export interface Picture {
  readonly name: string
  /** RGB of 512 by 288. */
  readonly pixels: Uint8Array<ArrayBuffer>
}

const JPEG = /\.jpe?g$/i

const CHANNELS = [0, 1, 2] as const

/** Of drawn scenes: in these, both lines can be seen. */
const SEEDS = [1, 3, 4, 5, 9, 12]

/** The JPEG files of a folder, sorted by name; drawn scenes where there is no folder. */
export function openPictures(folder: string | undefined): readonly Picture[] {
  if (folder === undefined) return SEEDS.map(seed => ({ name: `drawn-${seed}`, ...drawRoad(seed) }))
  const files = namesInFolder(folder).filter(name => JPEG.test(name))
  if (files.length === 0) {
    throw new PartyFailed(
      'file-not-readable',
      `${folder}: there is no .jpg in it`,
      'without --pictures roads are drawn',
    )
  }
  return files.map(file => {
    const { data, width, height } = decodeJpeg(join(folder, file))
    return { name: file.replace(JPEG, ''), pixels: scale(data, width, height) }
  })
}

interface Rgb {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
}

/** @throws {PartyFailed} file-not-readable, file-malformed */
function decodeJpeg(path: string): Rgb {
  const bytes = readInputFile(path)
  try {
    return decode(bytes, { useTArray: true, formatAsRGBA: false })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new PartyFailed('file-malformed', `${path} is no JPEG that can be read: ${reason}`, null)
  }
}

/**
 * Down to a frame's size: each pixel is the mean of the area that it covers, in whole numbers. A pixel of the frame is
 * `width` units wide and one of the picture WIDTH units, so that every overlap is a whole number of units.
 */
export function scale(rgb: Uint8Array, width: number, height: number): Uint8Array<ArrayBuffer> {
  const pixels = new Uint8Array(WIDTH * HEIGHT * 3)
  const area = width * height
  for (let index = 0; index < WIDTH * HEIGHT; index++) {
    const rows = overlaps(Math.floor(index / WIDTH), height, HEIGHT)
    const columns = overlaps(index % WIDTH, width, WIDTH)
    const sums = [0, 0, 0]
    for (const [row, tall] of rows) {
      for (const [column, wide] of columns) {
        const at = (row * width + column) * 3
        for (const channel of CHANNELS) sums[channel]! += rgb[at + channel]! * tall * wide
      }
    }
    for (const channel of CHANNELS)
      pixels[index * 3 + channel] = Math.floor((sums[channel]! + area / 2) / area)
  }
  return pixels
}

/** Which source pixels a target pixel covers, and by how many units each. */
function overlaps(target: number, from: number, to: number): [index: number, units: number][] {
  const start = target * from
  const end = start + from
  const covered: [number, number][] = []
  for (let index = Math.floor(start / to); index * to < end; index++)
    covered.push([index, Math.min(end, (index + 1) * to) - Math.max(start, index * to)])
  return covered
}
