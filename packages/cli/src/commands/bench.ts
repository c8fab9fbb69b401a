// casemate bench layers: what confidential computing costs on this machine, layer by layer, in one run.

import { randomBytes } from 'node:crypto'
import { type DriverName, detectPlatform } from '@casemate/enclave'
import type { Answer, Call, Command } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { LAYERS, openLayers } from '../layers/layers.ts'
import { type LayerResult, measureLayers, type Spread } from '../layers/rounds.ts'
import { makeWorkload } from '../layers/workload.ts'
import { table } from '../terminal/table.ts'

const DEFAULT_SIZES: readonly number[] = [1024, 16_384, 262_144]
const MAX_SIZE = 1_048_576
/** Bytes of one batch, and records in it: what a service that is busy has at hand at a time. */
const BATCH_BYTES = 1_048_576
const MAX_BATCH = 64
const DEFAULT_ROUNDS = 7
const DEFAULT_MILLISECONDS = 250

export const BENCH_LAYERS_COMMAND: Command = {
  words: ['bench', 'layers'],
  summary: 'measure what each layer of protection costs here',
  usage: '',
  minimum: 0,
  maximum: 0,
  flags: {
    size: {
      value: 'BYTES',
      summary: `of one record (default ${DEFAULT_SIZES.join(', ')})`,
      multiple: true,
    },
    rounds: { value: 'N', summary: `how often the layers take turns (default ${DEFAULT_ROUNDS})` },
    milliseconds: {
      value: 'N',
      summary: `for one layer in one round (default ${DEFAULT_MILLISECONDS})`,
    },
  },
  notes: [
    'One workload, the SHA-256 of a record in WebAssembly, worked on in batches: plain, sealed at',
    'rest, sent over TCP, sent over an attested channel, in an enclave, and all of it. Both ends of a',
    'connection are in this process, and their cost is counted.',
    'The figures contain what the machine under this process costs. Without a TEE that is no cost of',
    'hardware: to see it, run the same command inside and outside of the TEE, and compare the plain calls.',
  ],
  examples: ['casemate bench layers', 'casemate bench layers --size 4096 --json'],
  run: async call => {
    const sizes = call.options('size').map(typed => integerOf(typed, 'size', MAX_SIZE))
    const options = {
      rounds: integerOf(call.option('rounds') ?? String(DEFAULT_ROUNDS), 'rounds', 1000),
      milliseconds: integerOf(
        call.option('milliseconds') ?? String(DEFAULT_MILLISECONDS),
        'milliseconds',
        60_000,
      ),
    }
    const { driver } = await detectPlatform()
    const results = await measureAll(call, sizes.length === 0 ? DEFAULT_SIZES : sizes, options)
    return answerOf(call, driver, results)
  },
}

interface SizeResult {
  readonly sizeBytes: number
  readonly batch: number
  readonly layers: readonly LayerResult[]
}

async function measureAll(
  call: Call,
  sizes: readonly number[],
  options: { readonly rounds: number; readonly milliseconds: number },
): Promise<readonly SizeResult[]> {
  const workload = await call.terminal.progress('building the enclave', makeWorkload(call.terminal.now()))
  const layers = await openLayers(workload)
  try {
    const results: SizeResult[] = []
    for (const sizeBytes of sizes) {
      const count = Math.max(1, Math.min(MAX_BATCH, Math.floor(BATCH_BYTES / sizeBytes)))
      const records = Array.from({ length: count }, () => new Uint8Array(randomBytes(sizeBytes)))
      const onRound = (round: number): void =>
        call.terminal.note(`${sizeBytes} bytes: round ${round} of ${options.rounds}`)
      const batch = { records, blobs: records.map(workload.seal) }
      results.push({
        sizeBytes,
        batch: count,
        layers: await measureLayers(layers, batch, { ...options, onRound }),
      })
    }
    return results
  } finally {
    await layers.close()
  }
}

function answerOf(call: Call, platform: DriverName | null, results: readonly SizeResult[]): Answer {
  const { palette } = call.terminal
  const lines = results.flatMap(({ sizeBytes, batch, layers }) => [
    palette.bold(`${sizeBytes} bytes a record, ${batch} in a batch`),
    ...table(
      ['layer', 'time', 'against plain', 'processor', 'against plain'],
      layers.map(({ layer, wall, wallRatio, cpu, cpuRatio }) => [
        layer,
        micros(wall.median),
        overhead(wallRatio),
        micros(cpu.median),
        overhead(cpuRatio),
      ]),
      '',
    ),
    '',
  ])
  return {
    exitCode: 0,
    json: { platform, results },
    lines: [
      ...lines,
      ...LAYERS.map(([layer, what]) => `${layer.padEnd(10)}  ${what}`),
      '',
      'For one record: median of the rounds, lowest and highest in brackets.',
      'Processor time is that of all threads, of both ends of a connection.',
      ...(platform === null
        ? ['No hardware gives evidence here: these figures contain no cost of hardware.']
        : [
            `This process runs in a TEE (${platform}): its cost is in every figure,`,
            'that of the plain call as well.',
          ]),
    ],
  }
}

/** Four digits, as many as the spread lets mean something. */
function micros(value: number): string {
  return `${value.toFixed(value < 100 ? 2 : value < 1000 ? 1 : 0)} µs`
}

/** `+3 % [+1 .. +6]`, or as a factor where percents are no help. */
export function overhead({ median, lowest, highest }: Spread): string {
  const times = (ratio: number): string => ratio.toFixed(ratio < 100 ? 1 : 0)
  if (median >= 3) return `x ${times(median)} [${times(lowest)} .. ${times(highest)}]`
  const percent = (ratio: number): string => {
    const value = (ratio - 1) * 100
    return `${value < 0 ? '' : '+'}${value.toFixed(Math.abs(value) < 10 ? 1 : 0)}`
  }
  return `${percent(median)} % [${percent(lowest)} .. ${percent(highest)}]`
}

function integerOf(typed: string, flag: string, max: number): number {
  const value = Number(typed)
  if (Number.isInteger(value) && value >= 1 && value <= max) return value
  throw new CliError('flag-value-invalid', `--${flag} is ${typed}`, { hint: `an integer from 1 to ${max}` })
}
