// Attest and fetch one secret over HTTP on loopback (three requests): the broker's processor time for one, against
// the cryptography that it cannot avoid. What that leaves out and no broker could is measured beside it, each part
// bare: three requests to a server that only echoes, the JSON, and the two records in commits that are synced.
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import { ask, withBroker } from './broker-child.ts'
import { attestation, prepare, proveOnce, SECRET } from './guest.ts'
import type { Question, Started } from './handshake-server.ts'
import { concurrently, type Measured, ratesOf, spread } from './measure.ts'
import { printRates, printRatio } from './report.ts'

const ROUNDS = 7
/** Rounds before those that count: a server runs for months, and V8 goes on compiling for some thousand handshakes. */
const WARM_UP_ROUNDS = 12
/** Guests at the same time, so that they can share a commit as they would in life. */
const GUESTS = 16
const HANDSHAKES = 320
const LOAD = { times: HANDSHAKES, atOnce: GUESTS }

/** Prints the tables of this topic. */
export async function benchHandshake(): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'casemate-bench-'))
  const platform = await createIntelPlatform({ now: new Date() })
  const { anchors, endorsements } = platform
  try {
    await withBroker({ dataDir, anchors, endorsements }, async ({ server, started }) => {
      await prepare(started.url, started.adminToken)
      await proveOnce(started.url, platform)
      await compare(server, started, platform)
    })
  } finally {
    rmSync(dataDir, { recursive: true })
  }
}

async function compare(
  server: ChildProcess,
  { url, echoUrl }: Started,
  platform: IntelPlatform,
): Promise<void> {
  const micros = Object.fromEntries(LINES.map(({ part }) => [part, [] as number[]])) as Micros
  const walls: number[] = []
  const bare = async (part: 'floor' | 'json' | 'commits') =>
    (await ask(server, { [part]: HANDSHAKES } as Question)) / HANDSHAKES
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const [startedAt, collected] = [performance.now(), await ask(server, { gc: true })]
    const handshake = await cpuOf(server, () => concurrently(LOAD, () => guest(url, platform)))
    const wall = ((performance.now() - startedAt) * 1000) / HANDSHAKES
    const gc = ((await ask(server, { gc: true })) - collected) / HANDSHAKES
    const echo = await cpuOf(server, () => concurrently(LOAD, () => threeEchoes(echoUrl)))
    const measured: Readonly<Record<Part, number>> = {
      handshake,
      floor: await bare('floor'),
      echo,
      commits: await bare('commits'),
      json: await bare('json'),
      gc,
    }
    if (round < 0) continue
    for (const { part } of LINES) micros[part].push(measured[part])
    walls.push(wall)
  }
  print(micros, walls)
  console.log(`  handshakes in one commit: ${String(await ask(server, { group: true }))}`)
}

type Part = 'handshake' | 'floor' | 'echo' | 'commits' | 'json' | 'gc'
type Micros = Readonly<Record<Part, number[]>>

const LINES: readonly { readonly part: Part; readonly text: string }[] = [
  { part: 'handshake', text: 'attest and fetch one secret, broker’s processor time' },
  { part: 'floor', text: 'bare: cryptography' },
  { part: 'echo', text: 'bare: three HTTP echoes (node:http)' },
  { part: 'commits', text: 'bare: two records of the same size in synced commits' },
  { part: 'json', text: 'bare: JSON read and written once' },
  { part: 'gc', text: 'garbage collection in the broker’s main thread' },
]

function print(micros: Micros, walls: readonly number[]): void {
  const rates = Object.fromEntries(LINES.map(({ part, text }) => [part, ratesOf(text, micros[part])]))
  const { handshake, floor } = rates as Record<Part, Measured>
  const all = ratesOf(
    'all that is bare together',
    micros.floor.map((value, at) => value + micros.echo[at]! + micros.commits[at]! + micros.json[at]!),
  )
  printRates('Attest and fetch one secret', [
    handshake,
    floor,
    all,
    ratesOf('wall clock, guests on the same machine', walls),
  ])
  printRatio('processor time against the bare cryptography', floor, handshake, { atMost: 2 })
  printRatio('against cryptography, echoes, commits and JSON, all bare', all, handshake, 'none')
  for (const { part, text } of LINES) console.log(`  ${Math.round(spread(micros[part]).median)} µs  ${text}`)
}

async function cpuOf(server: ChildProcess, work: () => Promise<void>): Promise<number> {
  const before = await ask(server, { cpu: true })
  await work()
  return ((await ask(server, { cpu: true })) - before) / HANDSHAKES
}

async function guest(url: string, platform: IntelPlatform): Promise<void> {
  const auth = await fetch(`${url}/kbs/v0/auth`, post({ version: '0.4.0', tee: 'tdx', 'extra-params': '' }))
  const { nonce } = (await auth.json()) as { nonce: string }
  const cookie = auth.headers.get('set-cookie')!.split(';')[0]!
  const attested = await fetch(`${url}/kbs/v0/attest`, post(attestation(platform, nonce), cookie))
  if (attested.status !== 200) throw new Error(`attest: ${attested.status} ${await attested.text()}`)
  await attested.arrayBuffer()
  const headers = { cookie: attested.headers.get('set-cookie')?.split(';')[0] ?? cookie }
  const secret = await fetch(`${url}/kbs/v0/resource/${SECRET}`, { headers })
  if (secret.status !== 200) throw new Error(`resource: ${secret.status} ${await secret.text()}`)
  await secret.arrayBuffer()
}

async function threeEchoes(url: string): Promise<void> {
  await (await fetch(url, post({ version: '0.4.0', tee: 'tdx' }))).arrayBuffer()
  await (await fetch(url, post({ quote: 'x'.repeat(7000) }))).arrayBuffer()
  await (await fetch(url)).arrayBuffer()
}

function post(body: unknown, cookie?: string): RequestInit {
  const headers = { 'content-type': 'application/json', ...(cookie === undefined ? {} : { cookie }) }
  return { method: 'POST', headers, body: JSON.stringify(body) }
}
