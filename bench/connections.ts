// Guests as they come, each with a connection of its own for its three requests, against guests that find theirs open:
// the broker's processor time for each, plain and over TLS. What a connection costs without a broker is taken from a
// server that only echoes, in the same process and the same rounds.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import { attestAndFetch, exchange, keepingAgent, type Line } from './attesting.ts'
import { ask, type Broker, withBroker } from './broker-child.ts'
import { pin } from './cores.ts'
import { prepare } from './guest.ts'
import { concurrently, ratesOf, spread } from './measure.ts'
import { printRates, printRatio } from './report.ts'
import { writeTls } from './tls-files.ts'
import { portOf, type Target } from './wire.ts'

const ROUNDS = 7
/** As in bench/handshake.ts: V8 goes on compiling for some thousand handshakes. */
const WARM_UP_ROUNDS = 6
const GUESTS = 16
const HANDSHAKES = 320
const LOAD = { times: HANDSHAKES, atOnce: GUESTS }
const BROKER_CORE = 0
const GUESTS_CORE = 1

/** Prints the tables of this topic. */
export async function benchConnections(): Promise<void> {
  pin(process.pid, GUESTS_CORE)
  const platform = await createIntelPlatform({ now: new Date() })
  const { anchors, endorsements } = platform
  for (const isTls of [false, true]) {
    const dataDir = mkdtempSync(join(tmpdir(), 'casemate-bench-'))
    try {
      const start = { dataDir, anchors, endorsements }
      await withBroker(start, ({ started }) => prepare(started.url, started.adminToken))
      const flags = isTls ? writeTls(dataDir) : {}
      await withBroker({ ...start, flags }, broker => compare(broker, platform, isTls))
    } finally {
      rmSync(dataDir, { recursive: true })
    }
  }
}

type Way = 'kept' | 'new' | 'echoKept' | 'echoNew'
const WAYS: readonly Way[] = ['kept', 'new', 'echoKept', 'echoNew']

async function compare({ server, started }: Broker, platform: IntelPlatform, isTls: boolean): Promise<void> {
  pin(server.pid, BROKER_CORE)
  const [broker, echo] = [started.url, started.echoUrl].map(url => ({ port: portOf(url), isTls }))
  const guest = async (line: Line): Promise<void> => {
    if (!(await attestAndFetch(line, platform))) throw new Error('a guest was refused')
  }
  const kept = [broker!, echo!].map(target => keepingAgent(target))
  const runs: Readonly<Record<Way, () => Promise<void>>> = {
    kept: () => guest({ target: broker!, agent: kept[0]! }),
    new: () => overNew(broker!, guest),
    echoKept: () => echoes({ target: echo!, agent: kept[1]! }),
    echoNew: () => overNew(echo!, echoes),
  }
  const micros = Object.fromEntries(WAYS.map(way => [way, [] as number[]])) as Record<Way, number[]>
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    for (const way of WAYS) {
      const before = await ask(server, { cpu: true })
      await concurrently(LOAD, runs[way])
      const each = ((await ask(server, { cpu: true })) - before) / HANDSHAKES
      if (round >= 0) micros[way].push(each)
    }
  }
  for (const agent of kept) agent.destroy()
  print(micros, isTls)
}

function print(micros: Readonly<Record<Way, readonly number[]>>, isTls: boolean): void {
  const ofNew = ratesOf('a new connection for each guest', micros.new)
  const ofKept = ratesOf('kept connections', micros.kept)
  const expected = ratesOf(
    'kept connections, and what new ones cost a server that only echoes',
    micros.kept.map((each, at) => each + micros.echoNew[at]! - micros.echoKept[at]!),
  )
  printRates(`Attest and fetch one secret, ${isTls ? 'TLS' : 'plain HTTP'}, in broker’s processor time`, [
    ofKept,
    ofNew,
    expected,
  ])
  printRatio('new connections against kept ones and the cost of a connection', ofNew, expected, {
    atLeast: 1,
  })
  printRatio('new connections against kept ones', ofNew, ofKept, 'none')
  for (const way of WAYS) console.log(`  ${Math.round(spread(micros[way]).median)} µs  ${TEXTS[way]}`)
}

const TEXTS: Readonly<Record<Way, string>> = {
  kept: 'a guest, kept connection',
  new: 'a guest, new connection',
  echoKept: 'three echoes, kept connection',
  echoNew: 'three echoes, new connection',
}

async function overNew(target: Target, run: (line: Line) => Promise<void>): Promise<void> {
  const agent = keepingAgent(target)
  await run({ target, agent })
  agent.destroy()
}

async function echoes(line: Line): Promise<void> {
  await exchange(line, { method: 'POST', path: '/', body: '{"version":"0.4.0","tee":"tdx"}' })
  await exchange(line, { method: 'POST', path: '/', body: JSON.stringify({ quote: 'x'.repeat(7000) }) })
  await exchange(line, { method: 'GET', path: '/' })
}
