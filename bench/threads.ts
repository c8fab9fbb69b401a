// What a second core is worth: a broker that serves in the thread that writes, on one core, against one with two threads that
// serve, on both; and against two brokers that share nothing, each on a core of its own, which is all that two cores can give.
// Guests on this machine need a core as well: they have the cores of those that they ask, and what they take of them is not
// counted as the broker's.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import { ask, type Broker, withBroker } from './broker-child.ts'
import { pin } from './cores.ts'
import { Fleet } from './fleet.ts'
import { prepare } from './guest.ts'
import { spread } from './measure.ts'
import { megabytesOf } from './process-memory.ts'
import { printBudget, printRates } from './report.ts'
import { portOf } from './wire.ts'

const ROUNDS = 7
const PHASE_MS = 3000
/** V8 goes on compiling for some thousand handshakes. */
const WARM_UP_MS = 10_000
const THREADS = 2
const CORES = [0, 1] as const
const BUDGET = 1.7

/** Prints the tables of this topic. */
export async function benchThreads(): Promise<void> {
  if (!pin(process.pid, ...CORES)) {
    console.log('\nthreads: left out, as this machine has one core, or does not bind processes to one')
    return
  }
  const platform = await createIntelPlatform({ now: new Date() })
  const { anchors, endorsements } = platform
  const open: Side[] = []
  const within = async (threads: readonly number[], work: () => Promise<void>): Promise<void> => {
    const [serverThreads, ...others] = threads
    if (serverThreads === undefined) return work()
    const dataDir = mkdtempSync(join(tmpdir(), 'casemate-bench-'))
    const flags = { 'server-threads': String(serverThreads) }
    try {
      await withBroker({ dataDir, anchors, endorsements, flags }, async broker => {
        open.push(await sideOf(broker, platform))
        await within(others, work)
      })
    } finally {
      rmSync(dataDir, { recursive: true })
    }
  }
  await within([0, 0, THREADS], async () => {
    const [one, other, several] = open
    await compare({ one: one!, other: other!, several: several! })
  })
}

/** A broker and its guests. */
interface Side {
  readonly broker: Broker
  readonly fleet: Fleet
}

async function sideOf(broker: Broker, platform: IntelPlatform): Promise<Side> {
  const { url, adminToken } = broker.started
  await prepare(url, adminToken)
  return { broker, fleet: new Fleet({ port: portOf(url), isTls: false }, platform) }
}

interface Sides {
  readonly one: Side
  readonly other: Side
  readonly several: Side
}

async function compare({ one, other, several }: Sides): Promise<void> {
  const sides = [one, other, several]
  const found = { one: [] as Phase[], apart: [] as Phase[], several: [] as Phase[] }
  pin(several.broker.server.pid, ...CORES)
  pin(other.broker.server.pid, CORES[1])
  try {
    for (const { fleet } of sides) {
      await fleet.connect()
      await fleet.attestFor(WARM_UP_MS)
    }
    pin(one.broker.server.pid, CORES[0])
    for (let round = 0; round < ROUNDS; round++) {
      pin(process.pid, CORES[0])
      found.one.push(await measured([one], 1))
      pin(process.pid, ...CORES)
      found.several.push(await measured([several], CORES.length))
      found.apart.push(await measured([one, other], CORES.length))
    }
    print(
      found,
      [one, several].map(({ broker }) => megabytesOf(broker.server.pid, 'resident')),
    )
  } finally {
    for (const { fleet } of sides) fleet.close()
  }
}

interface Phase {
  /** Handshakes with their secret, for each second that the guests leave of the cores. */
  readonly rate: number
  /** Processor time of those that serve for each, in microseconds. */
  readonly micros: number
}

async function measured(sides: readonly Side[], cores: number): Promise<Phase> {
  const spent = () => Promise.all(sides.map(({ broker }) => ask(broker.server, { cpu: true })))
  const [guests, before] = [process.cpuUsage(), sum(await spent())]
  const ends = await Promise.all(sides.map(({ fleet }) => fleet.attestFor(PHASE_MS)))
  if (ends.some(({ failed }) => failed > 0)) throw new Error('a guest was refused')
  const { user, system } = process.cpuUsage(guests)
  const done = sum(ends.map(end => end.done))
  const seconds = Math.max(...ends.map(end => end.seconds))
  const left = seconds - (user + system) / 1e6 / cores
  return { rate: done / left, micros: (sum(await spent()) - before) / done }
}

const sum = (values: readonly number[]) => values.reduce((all, each) => all + each, 0)

type Found = Readonly<Record<'one' | 'apart' | 'several', readonly Phase[]>>

function print(found: Found, [alone = 0, together = 0]: readonly number[]): void {
  const { one, apart, several } = found
  const ratesOf = (phases: readonly Phase[]) => phases.map(({ rate }) => rate)
  printRates('Attest and fetch one secret, kept connections', [
    { name: 'one thread on one core', rates: ratesOf(one) },
    {
      name: `${THREADS} threads that serve beside the one that writes, on two cores`,
      rates: ratesOf(several),
    },
    { name: 'two brokers that share nothing, on a core each', rates: ratesOf(apart) },
  ])
  const against = (
    text: string,
    phases: readonly Phase[],
    {
      of,
      limit = 'none',
    }: { readonly of: keyof Phase; readonly limit?: 'none' | { readonly atLeast: number } },
  ) => printBudget({ text, spread: spread(phases.map((each, round) => each[of] / one[round]![of])), limit })
  against('two cores against one', several, { of: 'rate', limit: { atLeast: BUDGET } })
  against('two brokers against one', apart, { of: 'rate' })
  against('processor time for each, of all threads against one', several, { of: 'micros' })
  against('processor time for each, of two brokers against one', apart, { of: 'micros' })
  console.log(
    `  ${Math.round(alone)} MB resident with one thread, ${Math.round(together)} with those that serve`,
  )
}
