// What a second core is worth: a broker of one process, on one core, against one with two processes that serve, on both; and against two brokers that share nothing, each on a core of its own, which is all that two cores can give.
// Guests on this machine need a core as well: they have the cores of those that they ask, and what they take of them is not
// counted as the broker's.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import { type Broker, withBroker } from './broker-child.ts'
import { pin } from './cores.ts'
import { AT_ONCE, Fleet } from './fleet.ts'
import { prepare } from './guest.ts'
import { spread } from './measure.ts'
import { megabytes, micros, treeOf } from './process-tree.ts'
import { type Budget, printBudget, printRates } from './report.ts'
import { portOf } from './wire.ts'

const ROUNDS = 7
const PHASE_MS = 3000
/** V8 goes on compiling for some thousand handshakes. */
const WARM_UP_MS = 10_000
const PROCESSES = 2
const CORES = [0, 1] as const
const BUDGET = 1.7

/** Prints the tables of this topic. */
export async function benchProcesses(): Promise<void> {
  if (!pin(process.pid, ...CORES)) {
    console.log('\nprocesses: left out, as this machine has one core, or does not bind processes to one')
    return
  }
  const platform = await createIntelPlatform({ now: new Date() })
  const open = (processes: number, run: (side: Side) => Promise<void>) => withSide(platform, processes, run)
  await open(0, one => open(0, other => open(PROCESSES, several => compare({ one, other, several }))))
}

/** A broker and its guests. */
interface Side {
  readonly broker: Broker
  readonly fleet: Fleet
}

async function withSide(
  platform: IntelPlatform,
  processes: number,
  run: (side: Side) => Promise<void>,
): Promise<void> {
  const { anchors, endorsements } = platform
  const dataDir = mkdtempSync(join(tmpdir(), 'casemate-bench-'))
  const flags = { 'server-processes': String(processes) }
  try {
    await withBroker({ dataDir, anchors, endorsements, flags }, async broker => {
      const { url, adminToken } = broker.started
      await prepare(url, adminToken)
      // As many for each core: with half of them on each, fewer share a commit.
      const fleet = new Fleet({ port: portOf(url), isTls: false }, platform, AT_ONCE * Math.max(1, processes))
      try {
        await run({ broker, fleet })
      } finally {
        fleet.close()
      }
    })
  } finally {
    rmSync(dataDir, { recursive: true })
  }
}

interface Sides {
  readonly one: Side
  readonly other: Side
  readonly several: Side
}

async function compare({ one, other, several }: Sides): Promise<void> {
  const found = { one: [] as Phase[], apart: [] as Phase[], several: [] as Phase[] }
  pin(one.broker.server.pid, CORES[0])
  pin(other.broker.server.pid, CORES[1])
  for (const pid of treeOf(pidOf(several))) pin(pid, ...CORES)
  for (const { fleet } of [one, other, several]) {
    await fleet.connect()
    await fleet.attestFor(WARM_UP_MS)
  }
  for (let round = 0; round < ROUNDS; round++) {
    pin(process.pid, CORES[0])
    found.one.push(await measured([one], 1))
    pin(process.pid, ...CORES)
    found.several.push(await measured([several], CORES.length))
    found.apart.push(await measured([one, other], CORES.length))
  }
  print(
    found,
    [one, several].map(side => megabytes(pidOf(side))),
  )
}

interface Phase {
  /** Handshakes with their secret, for each second that the guests leave of the cores. */
  readonly rate: number
  /** Processor time of those that serve for each, in microseconds. */
  readonly micros: number
}

async function measured(sides: readonly Side[], cores: number): Promise<Phase> {
  const spent = () => sum(sides.map(side => micros(pidOf(side))))
  const [guests, before] = [process.cpuUsage(), spent()]
  const ends = await Promise.all(sides.map(({ fleet }) => fleet.attestFor(PHASE_MS)))
  if (ends.some(({ failed }) => failed > 0)) throw new Error('a guest was refused')
  const { user, system } = process.cpuUsage(guests)
  const done = sum(ends.map(end => end.done))
  const seconds = Math.max(...ends.map(end => end.seconds))
  const left = seconds - (user + system) / 1e6 / cores
  return { rate: done / left, micros: (spent() - before) / done }
}

function pidOf({ broker: { server } }: Side): number {
  if (server.pid === undefined) throw new TypeError('the measured broker has no process')
  return server.pid
}

const sum = (values: readonly number[]) => values.reduce((all, each) => all + each, 0)

type Found = Readonly<Record<'one' | 'apart' | 'several', readonly Phase[]>>

function print(found: Found, [alone = 0, together = 0]: readonly number[]): void {
  const { one, apart, several } = found
  const ratesOf = (phases: readonly Phase[]) => phases.map(({ rate }) => rate)
  printRates(`Attest and fetch one secret, kept connections, ${AT_ONCE} guests at a time for each core`, [
    { name: 'one process on one core', rates: ratesOf(one) },
    {
      name: `${PROCESSES} processes that serve, on two cores`,
      rates: ratesOf(several),
    },
    { name: 'two brokers that share nothing, on a core each', rates: ratesOf(apart) },
  ])
  const against = (
    text: string,
    phases: readonly Phase[],
    of: keyof Phase,
    limit: Budget['limit'] = 'none',
  ) => printBudget({ text, spread: spread(phases.map((each, round) => each[of] / one[round]![of])), limit })
  against('two cores against one', several, 'rate', { atLeast: BUDGET })
  against('two brokers against one', apart, 'rate')
  against('processor time for each, of all processes against one', several, 'micros')
  against('processor time for each, of two brokers against one', apart, 'micros')
  console.log(
    `  ${Math.round(alone)} MB resident in one process, ${Math.round(together)} in all with those that serve`,
  )
}
