// What a second core is worth: a broker that serves in the thread that writes, on one core, against one with two threads that
// serve, on both. Guests on this machine need a core as well: in the first case they have the other one, in the second they
// share both with the broker, and what they take of them is not counted as the broker's.
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
const BROKER_CORE = 0
const GUESTS_CORE = 1
const BUDGET = 1.7

/** Prints the tables of this topic. */
export async function benchThreads(): Promise<void> {
  if (!pin(process.pid, GUESTS_CORE)) {
    console.log('\nthreads: left out, as this machine has one core, or does not bind processes to one')
    return
  }
  const platform = await createIntelPlatform({ now: new Date() })
  const { anchors, endorsements } = platform
  const directories = [0, THREADS].map(() => mkdtempSync(join(tmpdir(), 'casemate-bench-')))
  const [one = '', two = ''] = directories
  try {
    await withBroker({ dataDir: one, anchors, endorsements }, async single => {
      const flags = { 'server-threads': String(THREADS) }
      await withBroker({ dataDir: two, anchors, endorsements, flags }, several =>
        compare(single, several, platform),
      )
    })
  } finally {
    for (const directory of directories) rmSync(directory, { recursive: true })
  }
}

async function compare(single: Broker, several: Broker, platform: IntelPlatform): Promise<void> {
  for (const { started } of [single, several]) await prepare(started.url, started.adminToken)
  const [own, shared] = [single, several].map(({ started }) => {
    return new Fleet({ port: portOf(started.url), isTls: false }, platform)
  })
  pin(single.server.pid, BROKER_CORE)
  // It has begun where this process was.
  pin(several.server.pid, BROKER_CORE, GUESTS_CORE)
  const rates = { single: [] as number[], several: [] as number[] }
  const micros = { single: [] as number[], several: [] as number[] }
  try {
    for (const fleet of [own!, shared!]) {
      await fleet.connect()
      await fleet.attestFor(WARM_UP_MS)
    }
    for (let round = 0; round < ROUNDS; round++) {
      pin(process.pid, GUESTS_CORE)
      const alone = await measured(single, own!)
      rates.single.push(alone.done / alone.seconds)
      micros.single.push(alone.micros)
      pin(process.pid, BROKER_CORE, GUESTS_CORE)
      const both = await measured(several, shared!)
      rates.several.push((2 * both.done) / (2 * both.seconds - both.guestsSeconds))
      micros.several.push(both.micros)
    }
    print(
      rates,
      micros,
      [single, several].map(({ server }) => megabytesOf(server.pid, 'resident')),
    )
  } finally {
    own!.close()
    shared!.close()
  }
}

interface Phase {
  readonly done: number
  readonly seconds: number
  /** Processor time of the guests, in seconds: of two cores that they share with the broker, the rest is the broker's. */
  readonly guestsSeconds: number
  /** The broker's processor time for each, in microseconds. */
  readonly micros: number
}

async function measured({ server }: Broker, fleet: Fleet): Promise<Phase> {
  const [guests, broker] = [process.cpuUsage(), await ask(server, { cpu: true })]
  const { done, failed, seconds } = await fleet.attestFor(PHASE_MS)
  const { user, system } = process.cpuUsage(guests)
  const micros = ((await ask(server, { cpu: true })) - broker) / done
  if (failed > 0) throw new Error('a guest was refused')
  return { done, seconds, guestsSeconds: (user + system) / 1e6, micros }
}

interface Sides {
  readonly single: readonly number[]
  readonly several: readonly number[]
}

function print(
  { single, several }: Sides,
  micros: Sides,
  [alone = 0, together = 0]: readonly number[],
): void {
  printRates('Attest and fetch one secret, kept connections', [
    { name: 'one thread on one core', rates: single },
    { name: `${THREADS} threads that serve beside the one that writes, on two cores`, rates: several },
  ])
  const against = (limit: 'none' | { readonly atLeast: number }, text: string, sides: Sides) =>
    printBudget({
      text,
      spread: spread(sides.several.map((each, round) => each / sides.single[round]!)),
      limit,
    })
  against({ atLeast: BUDGET }, 'two cores against one', { single, several })
  against('none', 'processor time for each, of all threads against one', micros)
  console.log(`  ${Math.round(alone)} and ${Math.round(together)} MB resident`)
}
