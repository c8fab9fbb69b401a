// The cost of each layer, on a machine whose speed drifts: the layers take turns, round by round, and each is compared
// with the plain call of the same round. Time is that of the clock, and that of all processors that worked for it.

import type { Batch, LayerName, OpenLayers } from './layers.ts'

export interface RoundsOptions {
  readonly rounds: number
  /** Of one layer in one round. */
  readonly milliseconds: number
  /** Told before each round. */
  readonly onRound: (round: number) => void
}

/** Of one record, in microseconds. */
export interface Cost {
  readonly wall: number
  readonly cpu: number
}

export interface Spread {
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

export interface LayerResult {
  readonly layer: LayerName
  readonly wall: Spread
  readonly cpu: Spread
  /** Times the plain call of the same round. */
  readonly wallRatio: Spread
  readonly cpuRatio: Spread
}

const WARM_UP_MS = 200

/** One after the other, so that nothing measured disturbs anything else measured. */
export async function measureLayers(
  { run }: OpenLayers,
  batch: Batch,
  { rounds, milliseconds, onRound }: RoundsOptions,
): Promise<readonly LayerResult[]> {
  const layers = Object.keys(run) as LayerName[]
  for (const layer of layers) await costOf(() => run[layer](batch), WARM_UP_MS)
  const costs = new Map<LayerName, Cost[]>(layers.map(layer => [layer, []]))
  for (let round = 1; round <= rounds; round++) {
    onRound(round)
    for (const layer of layers) {
      const { wall, cpu } = await costOf(() => run[layer](batch), milliseconds)
      const count = batch.records.length
      costs.get(layer)?.push({ wall: wall / count, cpu: cpu / count })
    }
  }
  const plain = costs.get('plain') ?? []
  return layers.map(layer => resultOf(layer, costs.get(layer) ?? [], plain))
}

function resultOf(layer: LayerName, costs: readonly Cost[], plain: readonly Cost[]): LayerResult {
  const ratio = (of: keyof Cost): Spread =>
    spread(costs.map((cost, round) => cost[of] / (plain[round]?.[of] ?? Number.NaN)))
  return {
    layer,
    wall: spread(costs.map(({ wall }) => wall)),
    cpu: spread(costs.map(({ cpu }) => cpu)),
    wallRatio: ratio('wall'),
    cpuRatio: ratio('cpu'),
  }
}

/** Of one run, in microseconds. */
async function costOf(run: () => Promise<unknown>, milliseconds: number): Promise<Cost> {
  const startedAt = performance.now()
  const cpuBefore = process.cpuUsage()
  let runs = 0
  let elapsed = 0
  do {
    await run()
    runs++
    elapsed = performance.now() - startedAt
  } while (elapsed < milliseconds)
  const { user, system } = process.cpuUsage(cpuBefore)
  return { wall: (elapsed * 1000) / runs, cpu: (user + system) / runs }
}

export function spread(figures: readonly number[]): Spread {
  const sorted = figures.toSorted((a, b) => a - b)
  const at = (index: number): number => sorted[index] ?? Number.NaN
  return { median: at(sorted.length >> 1), lowest: at(0), highest: at(sorted.length - 1) }
}
