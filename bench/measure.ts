// Rates that can be compared on a noisy machine: the cases of one table take turns, round by round, in one process,
// and what is reported is the ratio of two cases in the same round: its median, and its lowest and highest.

/** One thing to measure; `run` does it once. */
export interface Case {
  readonly name: string
  readonly run: () => unknown
}

/** Rates of one case, one per round, in runs per second. */
export interface Measured {
  readonly name: string
  readonly rates: readonly number[]
}

/** How long each case runs in a round; long enough that the timer’s resolution and one pause do not decide. */
const ROUND_MS = 250
const ROUNDS = 7
const WARM_UP_MS = 200

/** In milliseconds; what one counts, the other may not. */
export type Clock = () => number

/** What passes, whoever has the processor. */
const wall: Clock = () => performance.now()

const nap = new Int32Array(new SharedArrayBuffer(4))

/** Processor time of this thread alone, for work that waits for nothing: others' takes nothing of it. */
export function threadTime(): number {
  // Kernels bring it up to date when a thread stops, which it does here for an instant.
  Atomics.wait(nap, 0, 0, 0.01)
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** Measures the cases in turns, round by round. */
export async function measure(cases: readonly Case[], clock: Clock = wall): Promise<readonly Measured[]> {
  for (const { run } of cases) await rate(run, WARM_UP_MS, clock)
  const rates = cases.map(() => [] as number[])
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, { run }] of cases.entries()) rates[index]!.push(await rate(run, ROUND_MS, clock))
  }
  return cases.map(({ name }, index) => ({ name, rates: rates[index]! }))
}

/** The same, counted in things of which each run did `times`. */
export function scaled({ name, rates }: Measured, times: number): Measured {
  return { name, rates: rates.map(rate => rate * times) }
}

/** Rates of things that took so many microseconds each, one per round. */
export function ratesOf(name: string, micros: readonly number[]): Measured {
  return { name, rates: micros.map(each => 1e6 / each) }
}

/** Does one thing so many times, with so many under way. */
export async function concurrently(
  { times, atOnce }: { readonly times: number; readonly atOnce: number },
  one: () => Promise<void>,
): Promise<void> {
  let left = times
  const worker = async (): Promise<void> => {
    while (left-- > 0) await one()
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

/** Runs per second of that clock over about `ms` milliseconds of passing time. */
async function rate(run: () => unknown, ms: number, clock: Clock): Promise<number> {
  const until = performance.now() + ms
  const startedAt = clock()
  let runs = 0
  do {
    const pending = run()
    if (pending instanceof Promise) await pending
    runs++
  } while (performance.now() < until)
  return (runs * 1000) / (clock() - startedAt)
}

/** Median, lowest and highest of some figures. */
export interface Spread {
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

/** The spread of a list of at least one figure. */
export function spread(figures: readonly number[]): Spread {
  const sorted = figures.toSorted((a, b) => a - b)
  return { median: sorted[sorted.length >> 1]!, lowest: sorted[0]!, highest: sorted.at(-1)! }
}

/** The ratio of two cases, round by round. */
export function ratio(of: Measured, to: Measured): Spread {
  return spread(of.rates.map((value, round) => value / to.rates[round]!))
}

/** One thing to measure on input that must be new each time. */
export interface BatchCase<T> {
  readonly name: string
  readonly run: (item: T) => unknown
}

/** Items that a case has before the next one has the same: whatever else the machine does then, meets them alike. */
const TURN = 8

/** Like {@link measure} by thread time, over fresh items that are made outside of it, the same for every case. */
export async function measureBatches<T>(
  make: () => Promise<readonly T[]>,
  cases: readonly BatchCase<T>[],
): Promise<readonly Measured[]> {
  // As long as what is measured on the same input again and again, for each case, is left to warm up.
  for (let warm = 0; warm < WARM_UP_MS; ) warm += Math.min(...(await takeTurns(await make(), cases)))
  const rates = cases.map(() => [] as number[])
  for (let round = 0; round < ROUNDS; round++) {
    const items = await make()
    for (const [index, elapsed] of (await takeTurns(items, cases)).entries()) {
      rates[index]!.push((items.length * 1000) / elapsed)
    }
  }
  return cases.map(({ name }, index) => ({ name, rates: rates[index]! }))
}

/** How long each case took for all items, in milliseconds. */
async function takeTurns<T>(items: readonly T[], cases: readonly BatchCase<T>[]): Promise<readonly number[]> {
  const elapsed = cases.map(() => 0)
  for (let from = 0; from < items.length; from += TURN) {
    const turn = items.slice(from, from + TURN)
    for (const [index, { run }] of cases.entries()) {
      const startedAt = threadTime()
      for (const item of turn) {
        const pending = run(item)
        if (pending instanceof Promise) await pending
      }
      elapsed[index]! += threadTime() - startedAt
    }
  }
  return elapsed
}
