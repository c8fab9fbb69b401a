// A broker under attack, with the limits that it has without any setting: what hostile requests cost one by one, and what
// attested guests keep of their rate, and the broker of its memory, while four machines flood it over TLS. What the flood takes
// of the machine, its caches and its kernel, whoever receives it, is not counted: guests are compared with a flood that goes elsewhere.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import { ask, type Broker, withBroker } from './broker-child.ts'
import { pin } from './cores.ts'
import { measureDoors } from './doors.ts'
import { Fleet } from './fleet.ts'
import type { Flooded, FloodKind, Order } from './flooder.ts'
import { attestation, prepare } from './guest.ts'
import { spread } from './measure.ts'
import { megabytesOf } from './process-memory.ts'
import { type Budget, budgetRow, printTable } from './report.ts'
import { writeTls } from './tls-files.ts'
import { portOf } from './wire.ts'

const ROUNDS = 5
const PHASE_MS = 3000
/** After the first phase; what clients that were quiet may have at once is used up by then. */
const BETWEEN_MS = 2000
/** After a flood: its connections are closed by then. */
const SETTLING_MS = 500
const KINDS: readonly FloodKind[] = ['bodies', 'connections', 'slow', 'all']
const BROKER_CORE = 0
/** Of guests, and of the flood below them. */
const OTHERS_CORE = 1
const BUDGET_RATE = 0.9
const BUDGET_MB = 400

/** Prints the tables of this topic. */
export async function benchFlood(): Promise<void> {
  if (process.platform !== 'linux') {
    console.log('\nflood: left out, as only Linux has a network of loopback addresses')
    return
  }
  if (!pin(process.pid, OTHERS_CORE))
    console.log('\nThe broker shares its core with guests and flood, which take from its time.')
  const platform = await createIntelPlatform({ now: new Date() })
  const dataDir = mkdtempSync(join(tmpdir(), 'casemate-bench-'))
  const start = { dataDir, anchors: platform.anchors, endorsements: platform.endorsements }
  try {
    await withBroker(start, async ({ server, started }) => {
      pin(server.pid, BROKER_CORE)
      await prepare(started.url, started.adminToken)
      await measureDoors({
        target: { port: portOf(started.url), isTls: false },
        cpu: () => ask(server, { cpu: true }),
        attest: nonce => JSON.stringify(attestation(platform, nonce)),
      })
    })
    const flags = { 'auth-limit': '300', ...writeTls(dataDir) }
    console.log('\n## Guests that attest and fetch a secret over TLS, without and with a flood\n')
    const rows: (readonly string[])[] = []
    for (const kind of KINDS) {
      await withBroker({ ...start, flags }, async broker => {
        rows.push(...report(kind, await measureFlood(kind, broker, platform)))
      })
    }
    printTable([['flood', 'measured', 'budget'], ...rows])
  } finally {
    rmSync(dataDir, { recursive: true })
  }
}

interface Phase {
  /** Handshakes a second. */
  readonly rate: number
  /** The broker's processor time for each, in microseconds. */
  readonly micros: number
  readonly failed: number
}

async function measureFlood(
  kind: FloodKind,
  { server, started }: Broker,
  platform: IntelPlatform,
): Promise<Outcome> {
  const target = { port: portOf(started.url), isTls: true }
  const fleet = new Fleet(target, platform)
  pin(server.pid, BROKER_CORE)
  const flooder = fork(new URL('./flooder.ts', import.meta.url))
  const phases = { quiet: [], elsewhere: [], first: [], flooded: [] } as Record<PhaseName, Phase[]>
  const sent: Flooded[] = []
  const look = async (name: PhaseName) => void phases[name].push(await phase(server, fleet))
  const flood = async (order: Exclude<Order, 'stop'>, during: () => Promise<void>) => {
    flooder.send(order)
    await during()
    flooder.send('stop' satisfies Order)
    const [flooded] = (await once(flooder, 'message')) as [Flooded]
    await sleep(SETTLING_MS)
    return flooded
  }
  const elsewhere = async () => {
    await sleep(BETWEEN_MS)
    await look('elsewhere')
  }
  try {
    await fleet.connect()
    await phase(server, fleet)
    const quietMb = megabytesOf(server.pid, 'peak')
    for (let round = 0; round < ROUNDS; round++) {
      await look('quiet')
      await flood({ kind, target: 'elsewhere', round }, elsewhere)
      sent.push(
        await flood({ kind, target, round }, async () => {
          await look('first')
          await sleep(BETWEEN_MS)
          await look('flooded')
        }),
      )
    }
    await flood({ kind, target: 'elsewhere', round: ROUNDS }, elsewhere)
    return { phases, sent, quietMb, peakMb: megabytesOf(server.pid, 'peak') }
  } finally {
    flooder.disconnect()
    fleet.close()
    await once(flooder, 'exit')
  }
}

async function phase(server: ChildProcess, fleet: Fleet): Promise<Phase> {
  const before = await ask(server, { cpu: true })
  const { done, failed, seconds } = await fleet.attestFor(PHASE_MS)
  const micros = ((await ask(server, { cpu: true })) - before) / done
  return { rate: done / seconds, micros, failed }
}

/**
 * `quiet`: no flood. `elsewhere`: it goes to another process, so that what it takes of the machine alone is seen. `first`:
 * it begins to come here. `flooded`: it goes on.
 */
type PhaseName = 'quiet' | 'elsewhere' | 'first' | 'flooded'

interface Outcome {
  /** One of each round, of `elsewhere` one more: a flood is compared with its neighbours on both sides, as machines drift. */
  readonly phases: Readonly<Record<PhaseName, readonly Phase[]>>
  readonly sent: readonly Flooded[]
  /** Before any flood. */
  readonly quietMb: number
  readonly peakMb: number
}

/** Says how much of the flood arrived; what it did is in the rows. */
function report(kind: FloodKind, { phases, sent, quietMb, peakMb }: Outcome): readonly (readonly string[])[] {
  const { quiet, elsewhere, first, flooded } = phases
  const ratios = (looks: readonly Phase[], of: (phase: Phase) => number) =>
    spread(looks.map((look, round) => (2 * of(look)) / (of(elsewhere[round]!) + of(elsewhere[round + 1]!))))
  const seconds = (2 * PHASE_MS + BETWEEN_MS) / 1000
  const aSecond = (of: (flooded: Flooded) => number) => Math.round(spread(sent.map(of)).median / seconds)
  const all = [...first, ...flooded]
  const failed = all.reduce((sum, phase) => sum + phase.failed, 0)
  console.log(
    `${TEXTS[kind]}: ${aSecond(each => each.connections)} connections, ${aSecond(each => each.answers)} answers, ` +
      `${aSecond(each => each.megabytes)} MB sent a second; ${failed} guests failed of ` +
      `${Math.round(all.reduce((sum, phase) => sum + (phase.rate * PHASE_MS) / 1000, 0))}`,
  )
  const text = (what: string) => `${TEXTS[kind]}: ${what}`
  const rows: readonly Budget[] = [
    {
      text: text(`rate of the guests (≥ ${BUDGET_RATE})`),
      spread: ratios(flooded, phase => phase.rate),
      limit: { atLeast: BUDGET_RATE },
    },
    {
      text: text('what the flood takes of the machine: it goes elsewhere, against no flood'),
      spread: spread(quiet.map((look, round) => elsewhere[round]!.rate / look.rate)),
      limit: 'none',
    },
    {
      text: text('the same in its first three seconds'),
      spread: ratios(first, phase => phase.rate),
      limit: 'none',
    },
    {
      text: text('processor time for each guest (≤ 1.11)'),
      spread: ratios(flooded, phase => phase.micros),
      limit: { atMost: 1 / BUDGET_RATE },
    },
    {
      text: text(`peak of resident memory, MB (≤ ${BUDGET_MB}; ${Math.round(quietMb)} before the flood)`),
      spread: { median: peakMb, lowest: quietMb, highest: peakMb },
      limit: { atMost: BUDGET_MB },
    },
  ]
  return rows.map(budgetRow)
}

const TEXTS: Readonly<Record<FloodKind, string>> = {
  bodies: 'the worst requests, all doors',
  connections: 'new connections with TLS handshakes',
  slow: 'slow senders, a byte short',
  all: 'all together',
}
