// What a second core is worth: a broker that serves in the thread that writes, on one core, against one with two threads that
// serve, on both. Guests on this machine need a core as well: in the first case they have the other one, in the second they
// share both with the broker, and what they take of them is not counted as the broker's.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import { type Broker, withBroker } from './broker-child.ts'
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
  const rates = { single: [] as number[], several: [] as number[] }
  try {
    for (const fleet of [own!, shared!]) {
      await fleet.connect()
      await fleet.attestFor(WARM_UP_MS)
    }
    for (let round = 0; round < ROUNDS; round++) {
      pin(process.pid, GUESTS_CORE)
      rates.single.push(await onOneCore(own!))
      pin(process.pid, BROKER_CORE, GUESTS_CORE)
      rates.several.push(await onBothCores(shared!))
    }
    print(
      rates,
      [single, several].map(({ server }) => megabytesOf(server.pid, 'resident')),
    )
  } finally {
    own!.close()
    shared!.close()
  }
}

async function onOneCore(fleet: Fleet): Promise<number> {
  const { done, seconds } = await attest(fleet)
  return done / seconds
}

/** As of two cores that the broker has for itself. */
async function onBothCores(fleet: Fleet): Promise<number> {
  const before = process.cpuUsage()
  const { done, seconds } = await attest(fleet)
  const { user, system } = process.cpuUsage(before)
  const left = 2 * seconds - (user + system) / 1e6
  return (2 * done) / left
}

async function attest(fleet: Fleet) {
  const attested = await fleet.attestFor(PHASE_MS)
  if (attested.failed > 0) throw new Error('a guest was refused')
  return attested
}

function print(
  { single, several }: { readonly single: readonly number[]; readonly several: readonly number[] },
  [alone = 0, together = 0]: readonly number[],
): void {
  printRates('Attest and fetch one secret, kept connections', [
    { name: 'one thread on one core', rates: single },
    { name: `${THREADS} threads that serve beside the one that writes, on two cores`, rates: several },
  ])
  printBudget({
    text: 'two cores against one',
    spread: spread(several.map((rate, round) => rate / single[round]!)),
    limit: { atLeast: BUDGET },
  })
  console.log(`  ${Math.round(alone)} and ${Math.round(together)} MB resident`)
}
