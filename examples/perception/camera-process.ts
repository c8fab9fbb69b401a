// A camera under load, as a process of its own: it holds the data owner's key in memory, checks over the channel whom it
// is about to send frames to, and sends as many as are answered.
import { createSecretKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mergeReferenceValues, parsePolicy } from '@casemate/appraisal'
import { connectEnclave, type PeerDemands } from '@casemate/channel'
import type { SealingIdentity, SealingRoot } from '@casemate/enclave'
import { serveParent } from '../stage/child.ts'
import type { ServerReady } from '../stage/server.ts'
import type { Stage } from '../stage/stage.ts'
import { FloorCamera } from './bench/floor.ts'
import type { FloorReady, FloorStart } from './bench/floor-server.ts'
import { Camera, stream } from './camera.ts'

export interface Load {
  readonly rounds: number
  /** Of one round. */
  readonly frames: number
  /** Frames that are not answered yet. */
  readonly inFlight: number
}

export interface CameraStart {
  readonly server: ServerReady & { readonly pid: number }
  readonly demands: Pick<PeerDemands, 'endorsements' | 'anchors'> & { readonly policy: unknown }
  readonly ids: SealingRoot['ids']
  readonly secrets: Readonly<Record<'mrEnclave' | 'mrSigner', Uint8Array>>
  readonly identity: SealingIdentity
  readonly pictures: readonly Uint8Array[]
  readonly load: Load
  readonly floor: FloorReady & FloorStart & { readonly pid: number }
}

export interface FloorRound {
  readonly framesPerSecond: number
  /** Of processors, in both processes. */
  readonly processors: number | null
}

/** Figures of one round; times are of one frame, in microseconds. */
export interface Round {
  readonly framesPerSecond: number
  /** Just before, of nothing but a pass of encryption and one of decryption, and the kernel between them. */
  readonly floor: FloorRound
  /** Frames in which both lines were found. */
  readonly lanes: number
  readonly sealing: number
  /** Of processors, in all threads of the two processes; null if the system does not tell. */
  readonly camera: number
  readonly server: number | null
}

export interface CameraReady {
  readonly rounds: readonly Round[]
}

/** For just-in-time compilers, on both sides. */
const WARM_UP_FRAMES = 500
/** Of `/proc`: the kernel counts processor time in hundredths of a second. */
const TICK_US = 10_000

/** The start message of the process; it goes over a pipe. */
export function cameraStart(
  { owner, demands }: Stage,
  server: CameraStart['server'],
  { pictures, load, floor }: Pick<CameraStart, 'pictures' | 'load' | 'floor'>,
): CameraStart {
  const { ids, secrets } = owner.root
  const { policy, endorsements, anchors } = demands
  return {
    server,
    demands: { policy, endorsements, anchors },
    ids,
    secrets: { mrEnclave: secrets.mrEnclave.export(), mrSigner: secrets.mrSigner.export() },
    identity: owner.identity,
    pictures,
    load,
    floor,
  }
}

async function measure(start: CameraStart): Promise<CameraReady> {
  const { server, demands, ids, secrets, identity, load } = start
  const peer = {
    ...demands,
    policy: parsePolicy(demands.policy),
    references: mergeReferenceValues(),
    now: () => new Date(),
  }
  const client = await connectEnclave({ host: server.host, port: server.port, peer })
  const keys = { mrEnclave: createSecretKey(secrets.mrEnclave), mrSigner: createSecretKey(secrets.mrSigner) }
  const root: SealingRoot = { kind: 'broker', cpuSvn: null, ids, secrets: keys }
  const camera = await Camera.open(client, { root, identity })
  const floor = await FloorCamera.open(start.floor.port, createSecretKey(start.floor.key))
  const rounds: Round[] = []
  for (let round = -1; round < load.rounds; round++) {
    const frames = round < 0 ? WARM_UP_FRAMES : load.frames
    const below = await measureFloor(floor, start, frames)
    const measured = await measureRound(camera, start, frames)
    if (round >= 0) rounds.push({ ...measured, floor: below })
  }
  floor.close()
  await client.close()
  return { rounds }
}

async function measureFloor(camera: FloorCamera, start: CameraStart, frames: number): Promise<FloorRound> {
  const { pictures, load, floor } = start
  const before = processorTime(floor.pid)
  const own = process.cpuUsage()
  const framesPerSecond = await camera.measure({ pictures, frames, inFlight: load.inFlight })
  const { user, system } = process.cpuUsage(own)
  const after = processorTime(floor.pid)
  return {
    framesPerSecond,
    processors: before === null || after === null ? null : (user + system + after - before) / frames,
  }
}

async function measureRound(
  camera: Camera,
  start: CameraStart,
  frames: number,
): Promise<Omit<Round, 'floor'>> {
  const { pictures, load, server } = start
  let lanes = 0
  const before = { at: performance.now(), sealing: camera.sealingMs, server: processorTime(server.pid) }
  const own = process.cpuUsage()
  await stream(camera, {
    pictures,
    frames,
    inFlight: load.inFlight,
    onAnswer: ({ left, right }) => {
      if (left !== null && right !== null) lanes++
    },
  })
  const { user, system } = process.cpuUsage(own)
  const serverTime = processorTime(server.pid)
  return {
    framesPerSecond: (frames * 1000) / (performance.now() - before.at),
    lanes,
    sealing: ((camera.sealingMs - before.sealing) * 1000) / frames,
    camera: (user + system) / frames,
    server: serverTime === null || before.server === null ? null : (serverTime - before.server) / frames,
  }
}

/** Of all threads of a process so far, in microseconds. */
function processorTime(pid: number): number | null {
  try {
    // The name of the program, in brackets, may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * TICK_US
  } catch {
    return null
  }
}

if (process.send !== undefined) {
  await serveParent(async (start: CameraStart) => ({
    ready: await measure(start),
    close: async () => undefined,
  }))
}
