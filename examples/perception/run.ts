// The whole of it: a camera seals frames, a machine proves what it runs, the enclave finds the lane, a person looks.
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { EnclaveClient } from '@casemate/channel'
import { recordRelease, strangerRefused } from '../stage/acts.ts'
import { withParty } from '../stage/child.ts'
import type { ExampleContext } from '../stage/example.ts'
import { spreadOf, whole } from '../stage/figures.ts'
import { readOptions } from '../stage/options.ts'
import { onStage, type Stage, type StageOptions } from '../stage/stage.ts'
import { Story } from '../stage/story.ts'
import type { FloorReady } from './bench/floor-server.ts'
import { CALIBRATION } from './calibration.ts'
import { Camera, sealCalibration } from './camera.ts'
import { type CameraReady, type CameraStart, cameraStart, type Load, type Round } from './camera-process.ts'
import { drawLanes } from './drawing.ts'
import { FRAME_SIZE, type LaneLine, parseAnswer, sealFrame } from './frame.ts'
import { openPictures, type Picture } from './pictures.ts'
import { detectPlainly } from './reference.ts'
import { CALIBRATION_FILE } from './service.ts'

export const SUMMARY = 'lane lines in encrypted camera frames, found by code that alone can open them'

export const ENTRY = join(import.meta.dirname, 'assembly', 'enclave.ts')
const QUICK: Load = { rounds: 1, frames: 2000, inFlight: 8 }
const BENCH: Load = { rounds: 7, frames: 4000, inFlight: 8 }
export const USAGE = 'options: --bench, --keep DIR, --pictures DIR (of .jpg)'

interface Play {
  readonly stage: Stage
  readonly story: Story
  readonly pictures: readonly Picture[]
  /** Where the drawn pictures go. */
  readonly gallery: string
}

export async function run({ args, print, signal }: ExampleContext): Promise<void> {
  const { bench, keep, pictures: folder } = readOptions(args, USAGE, { pictures: { type: 'string' } })
  const story = new Story(print)
  story.open(
    'Perception',
    'A car’s camera sends what it sees to a computer that nobody trusts. It finds the lane and shows it to the car alone.',
  )
  const pictures = openPictures(folder)
  const options: StageOptions = {
    name: 'perception',
    build: { entry: ENTRY },
    service: new URL('./service.ts', import.meta.url),
    signal,
    directory: keep,
  }
  await onStage(options, async stage => {
    const gallery = keep === undefined ? mkdtempSync(join(tmpdir(), 'casemate-lanes-')) : join(keep, 'lanes')
    mkdirSync(gallery, { recursive: true })
    const play = { stage, story, pictures, gallery }
    seal(play)
    const server = await prove(play)
    const client = await stage.connect()
    await see(play, client)
    await refuse(play, client)
    await client.close()
    await recordRelease(stage, story)
    await time(play, server, bench ? BENCH : QUICK)
    story.end(`The pictures with their lanes are in ${gallery}.`)
  })
}

function seal({ stage, story }: Play): void {
  const { directory, owner, image } = stage
  writeFileSync(join(directory, CALIBRATION_FILE), sealCalibration(CALIBRATION, owner))
  story.step(
    'Seal',
    'Who owns the camera builds the enclave from source, and seals how the camera is mounted for whoever signed it.',
    [
      { what: 'code', detail: `${image.mrEnclave} (MRENCLAVE)` },
      { what: 'key', detail: 'in the broker, for this code of this signer and nobody else' },
    ],
  )
}

async function prove({ stage, story }: Play): Promise<CameraStart['server']> {
  const refused = await strangerRefused(stage)
  const { ready, pid } = await stage.startServer()
  story.step(
    'Prove',
    'Another machine runs the enclave. It shows the broker evidence of which code it runs; only then does it get the key, into its memory.',
    [
      { what: 'released', detail: 'the frame key, to the enclave that the camera seals for' },
      { what: 'refused', detail: `the same code under another signature (${refused})` },
    ],
  )
  return { ...ready, pid }
}

async function see({ stage, story, pictures, gallery }: Play, client: EnclaveClient): Promise<void> {
  const camera = await Camera.open(client, stage.owner)
  const seen: { what: string; detail: string }[] = []
  for (const { name, pixels } of pictures) {
    const { left, right } = await camera.send(pixels)
    if (!isDeepStrictEqual({ left, right }, detectPlainly(pixels, CALIBRATION)))
      throw new Error(`${name}: the enclave’s lines are not those of the reference`)
    writeFileSync(join(gallery, `${name}.png`), drawLanes(pixels, { left, right }, CALIBRATION))
    seen.push({ what: name, detail: `${describe('left', left)}; ${describe('right', right)}` })
  }
  story.step(
    'See',
    'The camera checks over the channel who is there, seals each frame for it, and gets lines back; a plain program finds the same ones to the last bit.',
    seen,
  )
}

function describe(side: string, line: LaneLine | null): string {
  if (line === null) return `${side} none`
  return `${side} ${line.colour} from ${(line.atBottom / 16).toFixed(1)} to ${(line.atHorizon / 16).toFixed(1)}, ${line.rows} rows`
}

/** Attacks of somebody who can touch the frames on their way. */
async function refuse({ stage, story }: Play, client: EnclaveClient): Promise<void> {
  const streamId = await client.call('open', new Uint8Array())
  const send = async (frame: Uint8Array): Promise<string> => {
    const { status, missed } = parseAnswer(await client.call('detect', frame))
    return missed > 0 ? `${status}, ${missed} missing` : status
  }
  const frame = (sequence: bigint): Uint8Array =>
    sealFrame(new Uint8Array(FRAME_SIZE), { streamId, sequence }, stage.owner)
  const first = frame(0n)
  const forged = frame(1n)
  forged[1000] = (forged[1000] ?? 0) ^ 1
  await send(first)
  story.step('Refuse', 'Frames that were changed, sent again or held back are told apart.', [
    { what: 'again', detail: await send(first) },
    { what: 'changed', detail: await send(forged) },
    { what: 'held back', detail: await send(frame(4n)) },
    { what: 'too late', detail: await send(frame(3n)) },
  ])
}

async function time(
  { stage, story, pictures }: Play,
  server: CameraStart['server'],
  load: Load,
): Promise<void> {
  const rounds = await roundsOf(stage, server, { load, pictures: pictures.map(picture => picture.pixels) })
  const wanted = lanesIn(pictures, load.frames)
  if (rounds.some(({ lanes }) => lanes !== wanted)) throw new Error('a frame under load lost its lane')
  const spread = (of: (round: Round) => number | null): string => {
    const known = rounds.map(of).filter(value => value !== null)
    return known.length === 0 ? 'unknown' : spreadOf(known, whole)
  }
  story.step(
    'Time',
    `A camera as a process of its own: ${load.rounds} x ${load.frames} frames, each sealed anew, ${load.inFlight} under way. The platform is simulated: no cost of hardware is in it.`,
    [
      { what: 'rate', detail: `${spread(round => round.framesPerSecond)} frames a second, end to end` },
      {
        what: 'of the floor',
        detail: `${spread(({ framesPerSecond, floor }) => (100 * framesPerSecond) / floor.framesPerSecond)} % of its rate: one pass of encryption in each process, and the kernel between them`,
      },
      { what: 'camera', detail: `${spread(round => round.camera)} µs of processor time a frame` },
      { what: 'sealing', detail: `${spread(round => round.sealing)} µs of that` },
      {
        what: 'floor',
        detail: `${spread(round => round.floor.processors)} µs of processor time a frame, in both`,
      },
      { what: 'server', detail: `${spread(round => round.server)} µs of processor time a frame` },
    ],
  )
}

/** A camera's, each beside the floor under it. */
function roundsOf(
  stage: Stage,
  server: CameraStart['server'],
  { load, pictures }: Pick<CameraStart, 'load' | 'pictures'>,
): Promise<readonly Round[]> {
  const key = randomBytes(32)
  const floorProgram = new URL('./bench/floor-server.ts', import.meta.url)
  const cameraProgram = new URL('./camera-process.ts', import.meta.url)
  return withParty<FloorReady, readonly Round[]>(floorProgram, { key }, ({ ready, pid }) => {
    const start = cameraStart(stage, server, { pictures, load, floor: { ...ready, key, pid } })
    return withParty<CameraReady, readonly Round[]>(cameraProgram, start, async camera => camera.ready.rounds)
  })
}

/** In how many of the frames, the pictures in turn, the plain program finds both lines. */
function lanesIn(pictures: readonly Picture[], frames: number): number {
  const has = pictures.map(({ pixels }) => {
    const { left, right } = detectPlainly(pixels, CALIBRATION)
    return left !== null && right !== null
  })
  return Array.from({ length: frames }, (_, index) => has[index % has.length]).filter(Boolean).length
}
